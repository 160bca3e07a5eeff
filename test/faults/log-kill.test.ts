import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { LogProblem } from '../../src/transport/local/problem.ts'
import { openLocalLog, type LocalLog } from '../../src/transport/local/local-log.ts'
import { logBody, parseLogBody } from './log-body.ts'

const appender = fileURLToPath(new URL('log-appender.ts', import.meta.url))
const kills = 20

/** What the appender promised before it died. */
interface Promised {
  readonly idByPosition: Map<number, number>
  committed: number
}

/** Runs an appender, kills it some time after its first answer, and adds what it promised. */
async function runAndKill(args: readonly string[], afterMs: number, promised: Promised): Promise<void> {
  const child = spawn(process.execPath, [appender, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let killing: NodeJS.Timeout | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    killing ??= setTimeout(() => child.kill('SIGKILL'), afterMs)
    const [kind, first, second] = line.split(' ')
    if (kind === 'c') promised.committed = Number(first)
    if (kind === 'a' && second !== undefined) promised.idByPosition.set(Number(first), Number(second))
  }
  clearTimeout(killing)
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  assert.equal(child.signalCode, 'SIGKILL', 'the appender runs until it is killed')
}

/** Checks the log against the promises; answers an id later than all in it. */
async function checkLog(log: LocalLog, promised: Promised): Promise<number> {
  const { next, cutEnd } = await log.consumer('writer')
  assert.ok(next >= promised.committed, `committed ${promised.committed}, found ${next}`)
  assert.ok(cutEnd === undefined ? next === 0 : cutEnd === next + 100)
  const found = new Map<number, number>()
  let before = -1
  for await (const { position, body } of log.read(next)) {
    const id = parseLogBody(body)
    assert.ok(id >= 0, `body of ${position} is whole`)
    assert.ok(position > before, 'positions ascend')
    before = position
    found.set(position, id)
  }
  for (const [position, id] of promised.idByPosition) {
    if (position >= next) assert.equal(found.get(position), id, `the record at ${position} was acknowledged`)
  }
  assert.equal(new Set(found.values()).size, found.size, 'no record is there twice')
  return Math.max(0, ...found.values(), ...promised.idByPosition.values()) + 1
}

async function checkRetry(log: LocalLog, promised: Promised): Promise<void> {
  const [position, id] = [...promised.idByPosition].at(-1) ?? [-1, -1]
  const body = logBody(id)
  const retried = { signal: 'spans', codec: 'test', encoding: '', tenant: '', receivedAtMs: Date.now(), body } as const
  assert.deepEqual(await log.append(retried), { partition: 0, position, duplicate: true })
}

for (const syncing of ['sync', 'nosync']) {
  test(`${kills} kills lose nothing that was acknowledged, with ${syncing}`, { timeout: 120_000 }, async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'clew-log-kill-'))
    t.after(() => rm(dir, { recursive: true, force: true }))
    const promised: Promised = { idByPosition: new Map(), committed: 0 }
    const problems: LogProblem[] = []
    let firstId = 0
    for (let kill = 0; kill < kills; kill++) {
      await runAndKill([dir, String(firstId), syncing], Math.random() * 150, promised)
      const log = await openLocalLog({
        dir,
        sync: true,
        maxBytes: 1024 * 1024 * 1024,
        minFreeBytes: 0,
        onProblem: (problem) => problems.push(problem),
      })
      firstId = await checkLog(log, promised)
      await checkRetry(log, promised)
      await log.close()
    }
    assert.ok(promised.idByPosition.size > kills * 8, `${promised.idByPosition.size} records acknowledged`)
    assert.ok(promised.committed > 0)
    assert.deepEqual(
      problems.filter(({ kind }) => kind !== 'torn_tail'),
      [],
    )
    t.diagnostic(`${promised.idByPosition.size} acknowledged, ${problems.length} torn tails`)
  })
}
