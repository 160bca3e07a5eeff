/**
 * Disks, folders and ports that are not as they should be, under the whole program: what it says, that nothing
 * acknowledged is lost, and that it goes on by itself.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { schemaVersion } from '../../src/storage/clickhouse/schema/migrate.ts'
import { freePorts, freePortsExcept, runClew, temporaryFolder } from '../scenarios/clew-process.ts'
import { NumberedLoad } from '../support/numbered-load.ts'
import { spanIdOf, spansPerRequest, traceRequest } from '../support/numbered-requests.ts'
import { awaitStored, exportedSpans } from '../support/stored-spans.ts'
import { openEngine } from '../support/temporary-store.ts'
import { serveFor } from '../support/served.ts'

const mebibyte = 1 << 20

/** A small disk of its own, unmounted when the test ends. */
function smallDisk(t: TestContext, size: string): string {
  const dir = temporaryFolder()
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'clew-small', dir], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, `cannot mount a small disk, which takes root: ${stderr.trim()}`)
  t.after(() => void spawnSync('umount', ['--lazy', dir]))
  return dir
}

function freeBytes(dir: string): number {
  const { bavail, bsize } = statfsSync(dir)
  return bavail * bsize
}

/** Takes all but `left` bytes of a disk on which others write too. */
function fillDisk(dir: string, left: number): string {
  const path = join(dir, 'filler')
  const file = openSync(path, 'w')
  try {
    while (freeBytes(dir) > left) writeSync(file, Buffer.alloc(Math.min(mebibyte, freeBytes(dir) - left)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
  return path
}

const post = (otlpUrl: string, body: Buffer): Promise<Response> => {
  const headers = { 'content-type': 'application/x-protobuf' }
  return fetch(`${otlpUrl}/v1/traces`, { method: 'POST', headers, body: new Uint8Array(body) })
}

async function healthOf(url: string): Promise<{ status: number; codes: string[] }> {
  const response = await fetch(`${url}/health`)
  const { problems } = (await response.json()) as { problems: { code: string }[] }
  return { status: response.status, codes: problems.map(({ code }) => code) }
}

async function assertAllFound(url: string, load: NumberedLoad): Promise<void> {
  const { stored } = await awaitStored(url)
  const found = await exportedSpans(url)
  const missing = load.acknowledgedSpans().filter((span) => found.get(spanIdOf(span)) !== 1)
  assert.deepEqual(missing, [], 'spans that were acknowledged and are not there once')
  assert.equal(stored.spans, found.size)
}

test('below the reserve clew refuses with what to do, and goes on once there is room', async (t) => {
  const disk = smallDisk(t, '200m')
  const clew = await serveFor(t, join(disk, 'data'), ['--disk-min-free', '64MiB', '--log-segment-bytes', '1MiB'])
  const load = new NumberedLoad(t, { clients: 4, retries: true })
  load.sendTo(clew.otlpUrl)
  await sleep(700)
  const filler = fillDisk(disk, 60 * mebibyte)
  while (!load.refusals.has(503)) await sleep(20)
  const refused = await post(clew.otlpUrl, traceRequest(1_000_000))
  assert.equal(refused.status, 503)
  assert.ok(Number(refused.headers.get('retry-after')) >= 1)
  assert.match(
    await refused.text(),
    /full but for the 64 MiB kept free \(disk\.min_free\): make room on it, or lower retention/,
  )
  const health = await healthOf(clew.url)
  assert.deepEqual([health.status, health.codes], [503, ['disk_full']])
  const doctor = await runClew(['doctor', '--url', clew.url])
  assert.equal(doctor.code, 1)
  assert.match(doctor.stdout, /! only .* of disk are free in .*\n {2}to do: make room on the disk of the data folder/)
  rmSync(filler)
  await sleep(1500)
  await load.finish()
  assert.deepEqual([...load.refusals.keys()], [503])
  assert.equal(load.acknowledged.size, load.sent)
  assert.equal((await healthOf(clew.url)).status, 200)
  await assertAllFound(clew.url, load)
  assert.equal((await clew.stop()).code, 0)
})

test('a disk without a byte left: refused, killed and started again, nothing acknowledged is lost', async (t) => {
  const disk = smallDisk(t, '200m')
  const dataDir = join(disk, 'data')
  const args = ['--disk-min-free', '0', '--log-segment-bytes', '1MiB', '--writer-block-wait', '50ms']
  let clew = await serveFor(t, dataDir, args)
  const load = new NumberedLoad(t, { clients: 4, retries: false })
  load.sendTo(clew.otlpUrl)
  await sleep(700)
  // Others fill the disk; log and store both hit its end in the middle of what they do.
  let filler = fillDisk(disk, 0)
  while (!load.refusals.has(503)) await sleep(20)
  await sleep(1500)
  assert.ok((await healthOf(clew.url)).status === 503)
  await clew.stop('SIGKILL')
  load.pause()
  const starting = await runClew(['serve', '--data', dataDir, ...freePorts, ...args], { timeoutMs: 20_000 })
  assert.equal(starting.code, 1, starting.stderr)
  assert.match(starting.stderr, /full/)
  rmSync(filler)

  clew = await serveFor(t, dataDir, args)
  load.sendTo(clew.otlpUrl)
  await sleep(500)
  filler = fillDisk(disk, 0)
  await sleep(1500)
  rmSync(filler)
  await sleep(1500)
  await load.finish()
  assert.ok(load.acknowledged.size > 50)
  await assertAllFound(clew.url, load)
  assert.equal((await clew.stop()).code, 0)
})

test('a data folder in use names the process that has it; one left by a killed process is free', async (t) => {
  const dataDir = temporaryFolder()
  const first = await serveFor(t, dataDir)
  const second = await runClew(['serve', '--data', dataDir, ...freePorts])
  assert.deepEqual([second.code, second.stdout], [1, ''])
  assert.ok(
    second.stderr.includes(
      `data folder ${dataDir} is in use by process ${first.child.pid}; stop it, or choose another folder with --data\n`,
    ),
    second.stderr,
  )
  assert.equal((await post(first.otlpUrl, traceRequest(1))).status, 200)
  await first.stop('SIGKILL')
  assert.ok(existsSync(join(dataDir, 'clew.lock')))
  const third = await serveFor(t, dataDir)
  assert.equal((await awaitStored(third.url)).stored.spans, spansPerRequest)
  assert.equal((await third.stop()).code, 0)
})

test('of many started at once on a folder with a stale lock, one gets it', async (t) => {
  const dataDir = temporaryFolder()
  await (await serveFor(t, dataDir)).stop('SIGKILL')
  const program = join(import.meta.dirname, '../support/lock-process.ts')
  const run = `for i in 1 2 3 4 5 6 7 8; do "$1" "$2" "$3" & done; wait`
  for (let round = 0; round < 3; round++) {
    const { stdout } = spawnSync('sh', ['-c', run, 'sh', process.execPath, program, dataDir], { encoding: 'utf8' })
    const lines = stdout.trim().split('\n').sort()
    assert.deepEqual(lines, ['locked', ...Array.from({ length: 7 }, () => 'store_locked')], stdout)
    // They were killed, so the next round finds a stale lock again.
    assert.ok(existsSync(join(dataDir, 'clew.lock')))
  }
})

test('a folder that cannot be written to, and one that is a file', async (t) => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'file'), '')
  const file = await runClew(['serve', '--data', join(folder, 'file'), ...freePorts])
  assert.equal(file.code, 1)
  assert.match(file.stderr, /cannot use data folder .*file: .*; choose another with --data/)
  if (process.getuid?.() === 0) return t.diagnostic('as root every folder can be written to: that part is left out')
  const locked = join(folder, 'locked')
  mkdirSync(locked)
  chmodSync(locked, 0o555)
  const { code, stderr } = await runClew(['serve', '--data', join(locked, 'data'), ...freePorts])
  assert.equal(code, 1)
  assert.match(stderr, /cannot use data folder .*: EACCES.*; choose another with --data/)
})

test('a port in use names the option that moves it, and leaves nothing behind', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (const name of ['otlp.http.port', 'ui.port', 'jaeger.grpc.port']) {
    const dataDir = temporaryFolder()
    const flag = `--${name.replaceAll('.', '-')}`
    const { code, stderr } = await runClew(['serve', '--data', dataDir, ...freePortsExcept(name), flag, String(port)])
    assert.equal(code, 1)
    assert.match(
      stderr,
      new RegExp(
        `cannot listen on 127\\.0\\.0\\.1:${port}: another process uses this port; choose another with ${flag}\\n`,
      ),
    )
    assert.equal(existsSync(join(dataDir, 'clew.lock')), false)
  }
  server.close()
})

test('a store that a newer clew has written is refused and left as it is', async (t) => {
  const dataDir = temporaryFolder()
  const first = await serveFor(t, dataDir)
  assert.equal((await first.stop()).code, 0)
  const newer = openEngine(join(dataDir, 'store'))
  await newer.execute(`INSERT INTO schema_migrations (version) VALUES (${schemaVersion + 1})`)
  await newer.close()
  const { code, stderr } = await runClew(['serve', '--data', dataDir, ...freePorts])
  assert.equal(code, 1)
  assert.ok(
    stderr.includes(
      `the store has schema version ${schemaVersion + 1}, this clew knows up to ${schemaVersion}: run a newer clew`,
    ),
  )
})
