import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { folderHolder, lockFolder } from './folder-lock.ts'

function temporaryFolder(t: TestContext): string {
  const dir = fs.mkdtempSync(join(tmpdir(), 'clew-lock-'))
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }))
  return dir
}

const source = join(import.meta.dirname, 'folder-lock.ts')

/** Takes the lock in another process, which prints the result and holds the lock until its input ends. */
const program = `
import { lockFolder } from ${JSON.stringify(source)}
try {
  lockFolder(process.argv[1])
  console.log('held')
} catch (error) {
  console.log(error.code)
}
process.stdin.resume()`

const args = (dir: string): string[] => ['--input-type=module', '-e', program, dir]

function firstLine(child: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve) => child.stdout!.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())))
}

test('a lock makes its folder, is held once, and can be taken again after release', (t) => {
  const dir = join(temporaryFolder(t), 'new', 'data')
  const lock = lockFolder(dir)
  assert.equal(folderHolder(dir), process.pid)
  assert.throws(() => lockFolder(dir), {
    code: 'store_locked',
    message: `data folder ${dir} is in use by process ${process.pid}; stop it, or choose another folder with --data`,
  })
  lock.release()
  assert.equal(folderHolder(dir), undefined)
  assert.deepEqual(fs.readdirSync(dir), [])
  lockFolder(dir).release()
})

test('a lock of another process names its pid, and is free once that process is killed', async (t) => {
  const dir = temporaryFolder(t)
  const child = spawn(process.execPath, args(dir), { stdio: ['pipe', 'pipe', 'inherit'] })
  assert.equal(await firstLine(child), 'held')
  assert.equal(folderHolder(dir), child.pid)
  assert.throws(() => lockFolder(dir), new RegExp(`in use by process ${child.pid}`))
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  await ended
  assert.equal(folderHolder(dir), undefined)
  lockFolder(dir).release()
})

test('a lock of a process whose number now belongs to another is free', (t) => {
  const dir = temporaryFolder(t)
  const lock = lockFolder(dir)
  const file = join(dir, 'clew.lock')
  const holder = JSON.parse(fs.readFileSync(file, 'utf8')) as { pid: number; startTicks: string }
  assert.equal(holder.pid, process.pid)
  fs.writeFileSync(file, JSON.stringify({ ...holder, startTicks: String(Number(holder.startTicks) - 1) }))
  assert.equal(folderHolder(dir), undefined)
  lockFolder(dir)
  assert.equal(folderHolder(dir), process.pid)
  lock.release()
})

test('a lock that cannot be read is taken over: its process died while writing it', (t) => {
  const dir = temporaryFolder(t)
  for (const content of ['', '{"pid":', '{"pid":0}', 'null', '{}']) {
    fs.writeFileSync(join(dir, 'clew.lock'), content)
    assert.equal(folderHolder(dir), undefined, content)
    lockFolder(dir).release()
  }
})

test('of many processes that start at once, one gets the lock', async (t) => {
  const dir = temporaryFolder(t)
  // All of them want to remove a stale lock.
  spawnSync(process.execPath, args(dir), { input: '' })
  assert.ok(fs.existsSync(join(dir, 'clew.lock')))
  const children = Array.from({ length: 5 }, () =>
    spawn(process.execPath, args(dir), { stdio: ['pipe', 'pipe', 'inherit'] }),
  )
  const lines = await Promise.all(children.map(firstLine))
  assert.deepEqual(lines.sort(), ['held', 'store_locked', 'store_locked', 'store_locked', 'store_locked'])
  await Promise.all(
    children.map((child) => {
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.stdin!.end()
      return ended
    }),
  )
})

test('a path that is not a folder is refused with what to do', (t) => {
  const file = join(temporaryFolder(t), 'file')
  fs.writeFileSync(file, '')
  assert.throws(() => lockFolder(join(file, 'data')), {
    code: 'io_failed',
    message: /^cannot use data folder .*choose another with --data$/,
  })
})

test('a path where no folder can be made is refused', () => {
  for (const dir of ['/proc/clew/data', '/proc/clew'])
    assert.throws(() => lockFolder(dir), {
      code: 'io_failed',
      message: /^cannot use data folder \/proc\/clew.*: ENOENT: .*; choose another with --data$/,
    })
})
