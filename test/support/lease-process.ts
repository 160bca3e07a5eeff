/**
 * Takes a lease again and again in a process of its own: `fork(lease-process.ts, [NAME, TTL_MS])`. The store is in the parent, which
 * runs the SQL that this process sends. It reports each moment at which it holds the lease, on the clock of the machine.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LeaseEngine } from '../../src/storage/clickhouse/lease/lease-steps.ts'
import { takeTableLease } from '../../src/storage/clickhouse/lease/table-lease.ts'
import type { QueryOptions } from '../../src/storage/clickhouse/engine.ts'

export interface SqlRequest {
  readonly id: number
  readonly kind: 'query' | 'execute'
  readonly sql: string
  readonly parameters: QueryOptions['parameters']
}

export interface SqlReply {
  readonly id: number
  readonly rows?: unknown[]
  readonly error?: string
}

/** It had the lease of this generation at this time, milliseconds of the machine's monotonic clock. */
export interface HeldAt {
  readonly generation: number
  readonly atMs: number
}

const [name = '', ttlMs = ''] = process.argv.slice(2)
const waiting = new Map<number, (reply: SqlReply) => void>()
let lastId = 0

process.on('message', (reply: SqlReply) => waiting.get(reply.id)?.(reply))
process.on('disconnect', () => process.exit())

async function ask(kind: SqlRequest['kind'], sql: string, parameters: QueryOptions['parameters']): Promise<unknown[]> {
  const id = ++lastId
  const reply = await new Promise<SqlReply>((resolve) => {
    waiting.set(id, resolve)
    process.send!({ id, kind, sql, parameters } satisfies SqlRequest)
  })
  waiting.delete(id)
  if (reply.error !== undefined) throw new Error(reply.error)
  return reply.rows ?? []
}

const engine: LeaseEngine = {
  query: async <Row extends readonly unknown[]>(sql: string, options: QueryOptions = {}) =>
    (await ask('query', sql, options.parameters)) as Row[],
  execute: async (sql, options = {}) => void (await ask('execute', sql, options.parameters)),
}

for (;;) {
  const lease = await takeTableLease({ engine, name, ttlMs: Number(ttlMs), onProblem: () => {} })
  const untilMs = performance.now() + Math.random() * Number(ttlMs) * 4
  for (;;) {
    // Before it asks, because it may be stopped between the two.
    const heldAt: HeldAt = { generation: lease.generation, atMs: Number(process.hrtime.bigint()) / 1e6 }
    if (performance.now() >= untilMs || !lease.isHeld()) break
    process.send!(heldAt)
    await sleep(5)
  }
  await lease.release()
}
