/** The ClickHouse reader over an embedded engine, for the contract of readers. */
import assert from 'node:assert/strict'
import type { Engine } from '../../src/storage/clickhouse/engine.ts'
import { KnownKeys } from '../../src/storage/clickhouse/known-keys.ts'
import { TraceSummaries } from '../../src/storage/clickhouse/read/trace-summaries.ts'
import { ClickHouseReader } from '../../src/storage/clickhouse/reader.ts'
import { startRollups } from '../../src/storage/clickhouse/rollup/scheduler.ts'
import { StoreBlock } from '../../src/storage/clickhouse/block/store-block.ts'
import type { StoredBatch } from '../../src/storage/batch-queue.ts'
import { addTouchedBuckets } from '../../src/storage/touched-buckets.ts'
import { emptyStore } from '../support/temporary-store.ts'

export interface ClickHouseSubject {
  readonly reader: ClickHouseReader
  /** Reads the same store, and the writer tells it of no row. */
  readonly stranger: ClickHouseReader
  /** Stores the batches as one block, as the writer does. */
  readonly insert: (batches: readonly StoredBatch[]) => Promise<void>
}

let blocks = 0

/** Reads an empty store, told by the one that writes. */
export async function openClickHouse(
  engine: Engine,
  t: { after(stop: () => Promise<void>): void },
): Promise<ClickHouseSubject> {
  await emptyStore(engine)
  for (const table of ['irregular_keys', 'key_kinds']) await engine.execute(`TRUNCATE TABLE ${table}`)
  const keys = new KnownKeys()
  await keys.load(engine)
  const summaries = new TraceSummaries(engine)
  const onProblem = (message: string, error: unknown): never => assert.fail(`${message}: ${String(error)}`)
  const rollups = await startRollups({ engine, intervalMs: 1e9, now: Date.now, onProblem })
  t.after(() => rollups.stop())
  return {
    reader: new ClickHouseReader({ engine, kept: { rollups, keys, summaries } }),
    stranger: new ClickHouseReader({ engine }),
    async insert(batches) {
      const block = new StoreBlock()
      const buckets = new Set<number>()
      for (const batch of batches) {
        block.add(batch)
        addTouchedBuckets(buckets, batch)
        for (const resource of batch.resources) keys.addResource(resource)
        if (batch.signal === 'spans') keys.spans += batch.rows
      }
      for (const key of block.irregularKeys) keys.addIrregular(key)
      keys.addNotes(block.notes)
      keys.columns |= block.columns
      await keys.save(engine)
      const settled = summaries.inserting((traceId) => block.holds(traceId))
      await block.insert(engine, `contract-${process.pid}-${blocks++}`).finally(settled)
      rollups.touch(buckets)
    },
  }
}
