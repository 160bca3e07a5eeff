import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { temporaryChildEngine } from '../../../../test/support/temporary-child-engine.ts'

const { engine, problems } = await temporaryChildEngine({ after })

async function count(): Promise<number> {
  const [row] = await engine.query<[string]>("SELECT count() FROM (SELECT text FROM t WHERE text != '')")
  return Number(row![0])
}

async function mergedPart(): Promise<string> {
  const [row] = await engine.query<[string]>("SELECT path FROM system.parts WHERE active AND table = 't' AND level > 0")
  return row![0]
}

test('a merged part that cannot be read gives way to what it was made of', async () => {
  await engine.execute(
    `CREATE TABLE t (n UInt64, text String, INDEX i text TYPE bloom_filter) ENGINE = MergeTree ORDER BY n
     SETTINGS old_parts_lifetime = 480, min_bytes_for_wide_part = 0`,
  )
  for (let i = 0; i < 3; i++) await engine.execute(`INSERT INTO t SELECT number, 'x' FROM numbers(1000)`)
  await engine.execute('OPTIMIZE TABLE t FINAL')
  assert.equal(await count(), 3000)
  const part = await mergedPart()
  for (const name of fs.readdirSync(part).filter((each) => /\.c?mrk/.test(each)))
    fs.truncateSync(path.join(part, name), 0)
  await engine.execute('SYSTEM DROP MARK CACHE')
  assert.equal(await count(), 3000)
  assert.ok(problems.some((message) => message.startsWith('put a damaged part aside')))
  assert.ok(
    fs
      .readdirSync(path.join(path.dirname(part.replace(/\/$/, '')), 'detached'))
      .some((name) => name.startsWith('damaged_')),
  )
  assert.equal(await count(), 3000)
})

test('a part whose sources are gone stays where it is, and the error is told', async () => {
  await engine.execute('OPTIMIZE TABLE t FINAL')
  const part = (await mergedPart()).replace(/\/$/, '')
  const table = path.dirname(part)
  for (const name of fs.readdirSync(table)) {
    if (/^all_\d+_\d+_0$/.test(name)) fs.rmSync(path.join(table, name), { recursive: true })
  }
  for (const name of fs.readdirSync(part).filter((each) => /\.c?mrk/.test(each)))
    fs.truncateSync(path.join(part, name), 0)
  await engine.execute('SYSTEM DROP MARK CACHE')
  await assert.rejects(count(), { code: 'store_unavailable', canRetry: false })
  assert.ok(fs.existsSync(part))
  assert.ok(problems.some((message) => message.includes('damaged, and what it was made of is gone')))
})
