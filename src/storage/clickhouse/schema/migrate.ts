/**
 * Brings a store to the newest schema, forward only. Each version's statements can be run again after a kill in the
 * middle, and a version is recorded only when all of its statements are done.
 */
import { UnavailableError } from '../../../base/errors.ts'
import type { Engine } from '../engine.ts'
import { keyKindsStatements } from './key-kinds.ts'
import { leasesTable } from './leases.ts'
import { rollupTables } from './rollups.ts'
import { eventsTable, irregularKeysTable, spansTable, tracesTable } from './tables.ts'
import { views } from './views.ts'

export interface Migration {
  readonly version: number
  readonly what: string
  /** Every statement must do nothing when its work is done already. */
  readonly statements: readonly string[]
}

export const migrations: readonly Migration[] = [
  {
    version: 1,
    what: 'spans, traces and events',
    statements: [spansTable, tracesTable, eventsTable, irregularKeysTable],
  },
  { version: 2, what: 'operations, edges and nodes rolled up by bucket', statements: rollupTables },
  { version: 3, what: 'views in the columns of the OpenTelemetry exporter', statements: views },
  { version: 4, what: 'keys that a search has to look for in more places', statements: keyKindsStatements },
  { version: 5, what: 'leases of what runs in one process at a time', statements: [leasesTable] },
  {
    version: 6,
    what: 'rows of traces name their block',
    statements: ['ALTER TABLE traces ADD COLUMN IF NOT EXISTS block_tag UInt32 CODEC(ZSTD(1))'],
  },
]

export const schemaVersion = migrations.at(-1)!.version

export interface MigrateOptions {
  readonly sync: boolean
  /** Newest version to apply; tests stop at earlier ones. */
  readonly upTo?: number
  readonly onStep?: (migration: Migration) => void
}

/** Throws `UnavailableError` when the store was written by a newer clew. */
export async function migrate(engine: Engine, options: MigrateOptions): Promise<void> {
  await engine.execute(
    `CREATE TABLE IF NOT EXISTS schema_migrations (version UInt32, applied_at DateTime64(3) DEFAULT now64(3))
     ENGINE = MergeTree ORDER BY version`,
  )
  const current = await readVersion(engine)
  if (current > schemaVersion) {
    const message = `the store has schema version ${current}, this clew knows up to ${schemaVersion}: run a newer clew`
    throw new UnavailableError('store_unavailable', message, { canRetry: false })
  }
  for (const migration of migrations) {
    if (migration.version <= current || migration.version > (options.upTo ?? schemaVersion)) continue
    options.onStep?.(migration)
    for (const statement of migration.statements) await engine.execute(statement)
    await engine.execute(`INSERT INTO schema_migrations (version) VALUES (${migration.version})`)
  }
  await setSync(engine, options.sync)
}

/** Parts of every table are synced before an insert is answered, or none; what is known of keys always (tables.ts, key-kinds.ts). */
async function setSync(engine: Engine, sync: boolean): Promise<void> {
  const tables = await engine.query<[string]>(
    `SELECT name FROM system.tables
     WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name NOT IN ('irregular_keys', 'key_kinds') ORDER BY name`,
  )
  const on = sync ? 1 : 0
  for (const [table] of tables) {
    await engine.execute(`ALTER TABLE ${table} MODIFY SETTING fsync_after_insert=${on}, fsync_part_directory=${on}`)
  }
}

export async function readVersion(engine: Engine): Promise<number> {
  const [row] = await engine.query<[number]>('SELECT max(version) FROM schema_migrations')
  return Number(row?.[0] ?? 0)
}
