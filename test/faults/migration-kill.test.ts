import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { migrate } from '../../src/storage/clickhouse/schema/migrate.ts'
import { checkStore, inStore, writeAsVersion1 } from '../support/old-store.ts'
import { temporaryDir } from '../support/temporary-store.ts'

const program = join(import.meta.dirname, '../support/migrating-process.ts')

test('a migration killed before, in and after any of its statements goes on at the next start', async () => {
  const { dir, remove } = await temporaryDir()
  const run = (statement: number, moment: string): { signal: string | null; statements: number; stderr: string } => {
    const child = spawnSync(process.execPath, [program, dir, String(statement), moment], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    return { signal: child.signal, statements: Number(child.stdout.trim()), stderr: child.stderr }
  }
  await inStore(dir, (engine) => migrate(engine, { sync: false, upTo: 1 }))
  await inStore(dir, writeAsVersion1)
  let kills = 0
  // Each run comes further than the one before: what was done is done again, or passed over when its version is noted.
  for (const [statement, moment] of [
    [1, 'in'],
    [2, 'before'],
    [3, 'in'],
    [5, 'after'],
    [8, 'in'],
    [9, 'after'],
    [3, 'in'],
    [4, 'after'],
  ] as const) {
    const { signal, stderr } = run(statement, moment)
    assert.equal(signal, 'SIGKILL', `${moment} statement ${statement}: ${stderr}`)
    kills++
  }
  assert.equal(kills, 8)
  const last = run(0, 'never')
  assert.ok(last.statements > 0, last.stderr)
  await inStore(dir, checkStore)
  await remove()
})
