/** A real embedded store in a folder that goes away with the test. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '../../src/storage/clickhouse/embedded.ts'
import type { SessionEngineOptions } from '../../src/storage/clickhouse/engine/session-engine.ts'
import type { Engine } from '../../src/storage/clickhouse/engine.ts'
import { migrate } from '../../src/storage/clickhouse/schema/migrate.ts'
import { StoreBlock } from '../../src/storage/clickhouse/block/store-block.ts'
import { addTouchedBuckets } from '../../src/storage/touched-buckets.ts'
import { eventBatchOf, spanBatchOf, type TestEvent, type TestSpan } from './test-spans.ts'

/** Small, so that several test files can run at once. */
export function engineOptions(dir: string): SessionEngineOptions {
  return {
    dir,
    memoryBytesMax: 600 << 20,
    queryMemoryBytesMax: 300 << 20,
    queryTimeoutMs: 30_000,
    readers: 2,
    queriesWaitingMax: 200,
  }
}

export function openEngine(dir: string): Engine {
  return openEmbedded(engineOptions(dir))
}

export async function temporaryDir(): Promise<{ dir: string; remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'clew-store-'))
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) }
}

/** Migrated, empty, unsynced; closed when the test ends. */
export async function temporaryEngine(t: { after(close: () => Promise<void>): void }): Promise<Engine> {
  const { dir, remove } = await temporaryDir()
  const engine = openEngine(dir)
  t.after(async () => {
    await engine.close()
    await remove()
  })
  await migrate(engine, { sync: false })
  return engine
}

let blocks = 0

/** Stores as the writer does; returns the five-minute buckets touched. */
export async function storeRows(
  engine: Engine,
  spans: readonly TestSpan[],
  events: readonly TestEvent[] = [],
): Promise<Set<number>> {
  const block = new StoreBlock()
  const buckets = new Set<number>()
  for (const batch of [spanBatchOf(spans), eventBatchOf(events)]) {
    if (batch.rows === 0) continue
    block.add(batch)
    addTouchedBuckets(buckets, batch)
  }
  await block.insert(engine, `test-${process.pid}-${blocks++}`)
  return buckets
}

const figureTables = ['service_figures', 'operations', 'edges', 'nodes', 'attribute_keys']
const tables = ['spans', 'traces', 'events', 'rollup_buckets', 'leases', ...figureTables]

/** For tests that share one engine, as opening one takes a while. */
export async function emptyStore(engine: Engine): Promise<void> {
  for (const table of tables) await engine.execute(`TRUNCATE TABLE ${table}`)
}
