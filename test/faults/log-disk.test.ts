/** The log on disks that refuse: full, a file too large, a sync that fails. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { open, mkdtemp, readdir, rm, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Position } from '../../src/model/log.ts'
import { openLog, readAll, record, textOf } from '../support/temporary-log.ts'

const programPath = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'clew-log-disk-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** Runs a shell line whose `$1` is `dir`, `$2` Node and `$3` the program; fails with its output unless it ends well. */
function runShell(shell: readonly string[], line: string, dir: string, program: string): string {
  const [command, ...args] = [...shell, 'sh', '-c', line, 'sh', dir, process.execPath, programPath(program)]
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 })
  assert.equal(status, 0, `${command} ended with ${status}: ${error?.message ?? ''}\n${stdout}\n${stderr}`)
  return stdout
}

test('a full disk is refused, loses nothing and is recovered from', async (t) => {
  // A mount name space of its own: the small file system goes away with the process, and needs root only inside.
  const unshare = ['unshare', '--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])]
  const line = 'mount -t tmpfs -o size=8m clew-full-disk "$1" && exec "$2" "$3" "$1"'
  const output = runShell(unshare, line, await folder(t), 'log-on-full-disk.ts')
  assert.deepEqual(output.trim().split('\n'), [
    'refuses before it writes, commits, and recovers by itself',
    'loses nothing when the system has no space, and goes on when there is',
  ])
})

test('a write that stops in the middle leaves nothing in the way of later records', async (t) => {
  // 512 blocks of 512 or 1024 bytes: files stop growing at 256 or 512 kB.
  const line = 'ulimit -f 512 && exec "$2" "$3" "$1"'
  const output = runShell([], line, await folder(t), 'log-with-limited-files.ts')
  assert.equal(output.trim(), 'EFBIG: 2 records refused, 20 kept')
})

/** How file handles sync, to be made to fail: a healthy kernel offers no other way without privileges. */
async function handlePrototype(): Promise<FileHandle> {
  const handle = await open('/dev/null', 'r')
  await handle.close()
  return Object.getPrototypeOf(handle) as FileHandle
}

test('after a sync that failed the log goes on in a new segment, and its records are refused', async (t) => {
  for (const cutFails of [false, true]) {
    const dir = await folder(t)
    const problems: string[] = []
    const onProblem = ({ kind }: { kind: string }) => void problems.push(kind)
    let log = await openLog(dir, { sync: true, onProblem })
    await log.append(record('kept'))
    const prototype = await handlePrototype()
    t.mock.method(prototype, 'datasync', () => Promise.reject(new Error('EIO: i/o error, fdatasync')))
    if (cutFails) t.mock.method(prototype, 'truncate', () => Promise.reject(new Error('EIO: i/o error, ftruncate')))
    const results = await Promise.allSettled(['lost', 'lost', 'also lost'].map((body) => log.append(record(body))))
    t.mock.restoreAll()
    for (const result of results) assert.ok(result.status === 'rejected' && result.reason.code === 'io_failed')
    assert.deepEqual(problems, ['write_failed'])
    assert.equal(await textOf(log), '0:kept')
    assert.deepEqual(await log.append(record('lost')), { partition: 0, position: 1, duplicate: false })
    assert.equal((await readdir(dir)).filter((name) => name.endsWith('.seg')).length, 2)
    await log.close()
    log = await openLog(dir, { onProblem })
    assert.equal(await textOf(log), '0:kept 1:lost')
    // What could not be cut off is passed over, and said.
    assert.deepEqual(problems, cutFails ? ['write_failed', 'damaged_records'] : ['write_failed'])
    assert.deepEqual(await log.append(record('also lost')), { partition: 0, position: 2, duplicate: false })
    await log.close()
  }
})

test('a commit whose sync failed is refused and leaves the state before', async (t) => {
  const dir = await folder(t)
  const log = await openLog(dir)
  for (let i = 0; i < 5; i++) await log.append(record(`body ${i}`))
  const state = (next: number) => ({ next: next as Position, cutEnd: undefined })
  await log.consumer('writer')
  await log.commit('writer', state(2))
  const failing = t.mock.method(await handlePrototype(), 'datasync', () => Promise.reject(new Error('EIO')))
  await assert.rejects(log.commit('writer', state(3)), { code: 'io_failed' })
  failing.mock.restore()
  assert.deepEqual(await log.consumer('writer'), state(2))
  assert.equal((await readAll(log, 2)).length, 3)
  await log.commit('writer', state(4))
  assert.equal(log.stats().pendingRecords, 1)
  await log.close()
})
