/** What a log does on a file system of 8 MiB: `node log-on-full-disk.ts DIR`, DIR on it. Prints a line for each thing shown. */
import assert from 'node:assert/strict'
import { statfs, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UnavailableError } from '../../src/base/errors.ts'
import type { Appended, Log, Position } from '../../src/model/log.ts'
import { openLocalLog, type LocalLog } from '../../src/transport/local/local-log.ts'

const mebibyte = 1024 * 1024
const root = process.argv[2] ?? ''
const free = async (): Promise<number> => {
  const { bavail, bsize } = await statfs(root)
  return bavail * bsize
}
const openLog = async (name: string, minFreeBytes: number, problems: string[]): Promise<LocalLog> =>
  await openLocalLog({
    dir: join(root, name),
    sync: true,
    maxBytes: 1024 * mebibyte,
    segmentBytes: mebibyte,
    retryWindowMs: -1,
    minFreeBytes,
    onProblem: ({ kind }) => problems.push(kind),
  })

let count = 0
const append = async (log: Log, bytes: number): Promise<Appended> => {
  const body = Buffer.alloc(bytes, `${count++};`)
  return await log.append({ signal: 'spans', codec: 'test', encoding: '', tenant: '', receivedAtMs: Date.now(), body })
}

/** Appends until the log says that the disk is full; answers the positions acknowledged. */
async function fill(log: Log, bytes: number): Promise<number[]> {
  const acknowledged: number[] = []
  for (;;) {
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => append(log, bytes)))
    for (const result of results) if (result.status === 'fulfilled') acknowledged.push(result.value.position)
    const refused = results.filter((result) => result.status === 'rejected')
    for (const { reason } of refused) {
      assert.ok(
        reason instanceof UnavailableError && reason.code === 'disk_full' && reason.retryAfterMs > 0,
        String(reason),
      )
    }
    if (refused.length > 0) return acknowledged
  }
}

async function positionsOf(log: Log, from: number): Promise<number[]> {
  return (await Array.fromAsync(log.read(from as Position))).map(({ position }) => position)
}

async function leavesRoom(): Promise<void> {
  const problems: string[] = []
  const log = await openLog('bounded', 2 * mebibyte, problems)
  await log.consumer('writer')
  const acknowledged = await fill(log, 100_000)
  assert.ok((await free()) >= 2 * mebibyte)
  assert.deepEqual(await positionsOf(log, 0), acknowledged)
  // Committing needs no room, and what it frees is used again.
  await log.commit('writer', { next: log.stats().nextPosition, cutEnd: undefined })
  const more = await fill(log, 100_000)
  assert.ok(more.length > 0)
  assert.deepEqual(problems, [])
  await log.commit('writer', { next: log.stats().nextPosition, cutEnd: undefined })
  await log.close()
  console.log('refuses before it writes, commits, and recovers by itself')
}

async function survivesFullDisk(): Promise<void> {
  const problems: string[] = []
  let log = await openLog('full', 0, problems)
  const kept: number[] = [(await append(log, 100)).position]
  // The log has just asked for free space; now somebody else takes it.
  const filler = join(root, 'filler')
  await writeFile(filler, Buffer.alloc((await free()) - 200_000))
  kept.push(...(await fill(log, 60_000)))
  assert.deepEqual(problems.slice(0, 1), ['write_failed'], 'the system refused a write')
  assert.deepEqual(await positionsOf(log, 0), kept)
  await log.close()
  log = await openLog('full', 0, problems)
  assert.deepEqual(await positionsOf(log, 0), kept, 'opens on a full disk')
  await unlink(filler)
  kept.push((await append(log, 500_000)).position, (await append(log, 900_000)).position)
  await log.close()
  log = await openLog('full', 0, problems)
  assert.deepEqual(await positionsOf(log, 0), kept)
  assert.deepEqual(kept, [...kept.keys()], 'positions of refused records are given again')
  assert.ok(
    problems.every((kind) => kind === 'write_failed'),
    'no garbage was left',
  )
  await log.close()
  console.log('loses nothing when the system has no space, and goes on when there is')
}

await leavesRoom()
await survivesFullDisk()
