import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryChildEngine } from '../../../../test/support/temporary-child-engine.ts'

const { engine, problems } = await temporaryChildEngine({ after })

async function count(): Promise<number> {
  const [row] = await engine.query<[string]>("SELECT count() FROM (SELECT text FROM t WHERE text != '')")
  return Number(row![0])
}

async function mergedPart(table = 't'): Promise<string> {
  const [row] = await engine.query<[string]>(
    `SELECT path FROM system.parts WHERE active AND table = '${table}' AND level > 0`,
  )
  return row![0].replace(/\/$/, '')
}

/** A table of three parts, merged into one. */
async function createMerged(table: string): Promise<void> {
  await engine.execute(
    `CREATE TABLE ${table} (n UInt64, text String, INDEX i text TYPE bloom_filter) ENGINE = MergeTree ORDER BY n
     SETTINGS old_parts_lifetime = 480, min_bytes_for_wide_part = 0`,
  )
  for (let i = 0; i < 3; i++) await engine.execute(`INSERT INTO ${table} SELECT number, 'x' FROM numbers(1000)`)
  await engine.execute(`OPTIMIZE TABLE ${table} FINAL`)
}

async function damage(part: string): Promise<void> {
  for (const name of fs.readdirSync(part).filter((each) => /\.c?mrk/.test(each)))
    fs.truncateSync(path.join(part, name), 0)
  await engine.execute('SYSTEM DROP MARK CACHE')
}

test('a merged part that cannot be read is replaced by the parts it was made of', async () => {
  await createMerged('t')
  assert.equal(await count(), 3000)
  const part = await mergedPart()
  await damage(part)
  assert.equal(await count(), 3000)
  assert.ok(problems.some((message) => message.startsWith('put a damaged part aside')))
  assert.ok(fs.readdirSync(path.join(path.dirname(part), 'detached')).some((name) => name.startsWith('damaged_')))
  assert.equal(await count(), 3000)
})

test('a merged part whose number of rows is empty too gives way to what it was made of', async () => {
  await createMerged('uncounted')
  const part = await mergedPart('uncounted')
  fs.truncateSync(path.join(part, 'count.txt'), 0)
  await damage(part)
  const [row] = await engine.query<[string]>("SELECT count() FROM (SELECT text FROM uncounted WHERE text != '')")
  assert.equal(row![0], '3000')
})

test('a part whose sources are gone stays where it is, and the error is reported', async () => {
  await engine.execute('OPTIMIZE TABLE t FINAL')
  const part = await mergedPart()
  const table = path.dirname(part)
  for (const name of fs.readdirSync(table)) {
    if (/^all_\d+_\d+_0$/.test(name)) fs.rmSync(path.join(table, name), { recursive: true })
  }
  await damage(part)
  await assert.rejects(count(), { code: 'store_unavailable', canRetry: false })
  assert.ok(fs.existsSync(part))
  assert.ok(problems.some((message) => message.includes('damaged, and what it was made of is gone')))
})

test('a stream that meets a damaged part before its first row begins again', async () => {
  await createMerged('streamed')
  await damage(await mergedPart('streamed'))
  let rows = 0
  for await (const [text] of engine.stream<[string]>("SELECT text FROM streamed WHERE text != ''")) {
    assert.equal(text, 'x')
    rows++
  }
  assert.equal(rows, 3000)
})

test('a damaged part that cannot be moved is reported once, and restarts the engine only once', async (t) => {
  await createMerged('stuck')
  const part = await mergedPart('stuck')
  // A wrong checksum in a file of the right size is found only by reading, not when the engine starts.
  const file = path.join(part, 'text.bin')
  fs.writeFileSync(file, fs.readFileSync(file).fill(7, 0, 8))
  // The name that it would be moved to is taken.
  const atMs = Date.now()
  const taken = path.join(path.dirname(part), 'detached', `damaged_${path.basename(part)}_${atMs}`)
  fs.mkdirSync(path.join(taken, 'inside'), { recursive: true })
  t.mock.method(Date, 'now', () => atMs)
  const failed = (): boolean[] => problems.map((message) => message.includes('cannot put a damaged part aside'))
  for (let round = 0; round < 3; round++) {
    await assert.rejects(engine.query("SELECT count() FROM (SELECT text FROM stuck WHERE text != '')"), {
      code: 'store_unavailable',
    })
    // The engine was started again without success, and still has to come up.
    while (engine.state().process?.pid === undefined) await sleep(10)
    assert.equal(failed().filter(Boolean).length, 1)
  }
  const { restarts } = engine.state().process!
  await assert.rejects(engine.query("SELECT count() FROM (SELECT text FROM stuck WHERE text != '')"))
  assert.equal(engine.state().process!.restarts, restarts)
  assert.ok(fs.existsSync(part))
})
