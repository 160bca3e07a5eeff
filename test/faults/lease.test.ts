/**
 * Processes that share one store take a lease in turn while they are killed and stopped for longer than it lasts: at no
 * moment do two of them have it, and nobody's death keeps it from the others.
 */
import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HeldAt, SqlReply, SqlRequest } from '../support/lease-process.ts'
import { temporaryEngine } from '../support/temporary-store.ts'

const program = join(import.meta.dirname, '../support/lease-process.ts')
const engine = await temporaryEngine({ after })
const ttlMs = 1500

interface Held extends HeldAt {
  readonly pid: number
}

async function runSql({ id, kind, sql, parameters = {} }: SqlRequest): Promise<SqlReply> {
  try {
    if (kind === 'query') return { id, rows: await engine.query(sql, { parameters }) }
    await engine.execute(sql, { parameters })
    return { id }
  } catch (error) {
    return { id, error: String(error) }
  }
}

function startHolder(name: string, held: Held[]): ChildProcess {
  const child = fork(program, [name, String(ttlMs)])
  child.on('message', (message: SqlRequest | HeldAt) => {
    if ('generation' in message) return held.push({ ...message, pid: child.pid! })
    // One that was killed meanwhile is told nothing.
    void runSql(message).then((reply) => child.connected && child.send(reply, () => {}))
  })
  return child
}

/** The time of each generation, in the order in which they began. */
function tenures(held: readonly Held[]): { generation: number; pids: Set<number>; fromMs: number; toMs: number }[] {
  return [...Map.groupBy(held, ({ generation }) => generation)]
    .map(([generation, own]) => ({
      generation,
      pids: new Set(own.map(({ pid }) => pid)),
      fromMs: Math.min(...own.map(({ atMs }) => atMs)),
      toMs: Math.max(...own.map(({ atMs }) => atMs)),
    }))
    .sort((a, b) => a.fromMs - b.fromMs)
}

for (const { count, seconds } of [
  { count: 2, seconds: 10 },
  { count: 5, seconds: 15 },
]) {
  test(`${count} processes that are killed and stopped never have it at the same time`, async () => {
    const name = `of-${count}`
    const held: Held[] = []
    const children = Array.from({ length: count }, () => startHolder(name, held))
    const untilMs = Date.now() + seconds * 1000
    let faults = 0
    for (let left = count * 4; Date.now() < untilMs;) {
      await sleep(300 + Math.random() * ttlMs)
      // Mostly the one that has it: a fault of another changes little.
      const owner = children.findIndex(({ pid }) => pid === held.at(-1)?.pid)
      const at = owner >= 0 && Math.random() < 0.7 ? owner : Math.floor(Math.random() * count)
      if (left-- > 0 && Math.random() < 0.4) {
        children[at]!.kill('SIGKILL')
        children[at] = startHolder(name, held)
      } else {
        const child = children[at]!
        child.kill('SIGSTOP')
        setTimeout(() => child.kill('SIGCONT'), ttlMs * (0.3 + Math.random() * 2))
      }
      faults++
    }
    await sleep(ttlMs * 3)
    for (const child of children) child.kill('SIGKILL')
    const all = tenures(held)
    assert.ok(faults >= seconds / 2 && all.length >= 4, `${faults} faults, ${all.length} holders one after another`)
    for (const [i, tenure] of all.entries()) {
      assert.equal(tenure.pids.size, 1, 'a generation belongs to one process')
      const before = all[i - 1]
      if (before === undefined) continue
      assert.ok(before.toMs < tenure.fromMs, `two had it for ${before.toMs - tenure.fromMs} ms`)
      assert.ok(before.generation < tenure.generation)
    }
  })
}

test('the death of a holder hands it over within the time it lasts and a third', async () => {
  const held: Held[] = []
  const first = startHolder('death', held)
  while (held.length === 0) await sleep(10)
  const second = startHolder('death', held)
  await sleep(ttlMs / 2)
  // It may have released it by itself.
  const owner = held.at(-1)!.pid === first.pid ? first : second
  owner.kill('SIGKILL')
  const killedMs = Number(process.hrtime.bigint()) / 1e6
  while (held.at(-1)!.pid === owner.pid) await sleep(10)
  const tookMs = held.at(-1)!.atMs - killedMs
  // A second for a machine that is busy.
  assert.ok(tookMs < ttlMs * (1 + 1 / 3) + 1000, `${tookMs} ms`)
  first.kill('SIGKILL')
  second.kill('SIGKILL')
})
