import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkStore, inStore, writeAsVersion1 } from '../../../../test/support/old-store.ts'
import { temporaryDir } from '../../../../test/support/temporary-store.ts'
import { migrate, migrations, readVersion, schemaVersion } from './migrate.ts'

test('are numbered from 1 without gaps', () => {
  assert.deepEqual(
    migrations.map(({ version }) => version),
    Array.from({ length: schemaVersion }, (_, i) => i + 1),
  )
})

for (const { version } of migrations) {
  test(`a store of version ${version} opens, and what it holds can be read`, async () => {
    const { dir, remove } = await temporaryDir()
    await inStore(dir, async (engine) => {
      await migrate(engine, { sync: false, upTo: version })
      assert.equal(await readVersion(engine), version)
      await writeAsVersion1(engine)
    })
    const steps: number[] = []
    await inStore(dir, async (engine) => {
      await migrate(engine, { sync: true, onStep: (step) => void steps.push(step.version) })
      await checkStore(engine)
    })
    assert.deepEqual(
      steps,
      migrations.map((step) => step.version).filter((step) => step > version),
    )
    await remove()
  })
}

test('syncing can be turned on and off at any start', async () => {
  const { dir, remove } = await temporaryDir()
  for (const sync of [true, false, true]) {
    await inStore(dir, async (engine) => {
      await migrate(engine, { sync })
      const rows = await engine.query<[string, string]>(
        `SELECT name, create_table_query FROM system.tables
         WHERE database = currentDatabase() AND name IN ('spans', 'traces', 'events', 'edges', 'rollup_buckets')`,
      )
      assert.equal(rows.length, 5)
      const wanted = new RegExp(`fsync_after_insert = ${sync ? 1 : 0}, fsync_part_directory = ${sync ? 1 : 0}`)
      for (const [, sql] of rows) assert.match(sql, wanted)
    })
  }
  await remove()
})

test('a store of a newer clew is left alone', async () => {
  const { dir, remove } = await temporaryDir()
  await inStore(dir, async (engine) => {
    await migrate(engine, { sync: false, upTo: 1 })
    await engine.execute(`INSERT INTO schema_migrations (version) VALUES (${schemaVersion + 1})`)
    await assert.rejects(migrate(engine, { sync: false }), {
      code: 'store_unavailable',
      message: `the store has schema version ${schemaVersion + 1}, this clew knows up to ${schemaVersion}: run a newer clew`,
    })
    const [tables] = await engine.query<[string]>("SELECT count() FROM system.tables WHERE name = 'operations'")
    assert.equal(tables![0], '0')
  })
  await remove()
})
