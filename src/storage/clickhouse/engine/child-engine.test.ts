import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryChildEngine } from '../../../../test/support/temporary-child-engine.ts'
import { temporaryDir } from '../../../../test/support/temporary-store.ts'
import type { Engine } from '../engine.ts'
import { openChildEngine } from './child-engine.ts'

const { engine, options, problems } = await temporaryChildEngine({ after })

async function untilBack(child: Engine, restarts: number): Promise<void> {
  while ((child.state().process?.restarts ?? 0) < restarts || child.state().process?.pid === undefined) await sleep(10)
}

test('rows, parameters and errors cross as they are', async () => {
  const texts = ['ü', '\u{1f600}', 'a\nb', '"\\', '']
  const rows = await engine.query('SELECT arrayJoin({texts:Array(String)}), 18446744073709551615', {
    parameters: { texts },
  })
  assert.deepEqual(
    rows,
    texts.map((text) => [text, '18446744073709551615']),
  )
  assert.deepEqual(await engine.query('SELECT 1 WHERE 0'), [])
  await assert.rejects(engine.query('SELECT nothing'), {
    code: 'store_unavailable',
    canRetry: false,
    message: /nothing/,
  })
})

test('a large answer arrives whole, and a stream is read at the pace of its reader', async () => {
  const large = await engine.query<[string]>("SELECT repeat('x', 1000) FROM numbers(50000)")
  assert.deepEqual([large.length, large.at(-1)![0].length], [50_000, 1000])
  let count = 0
  for await (const [number] of engine.stream<[string]>('SELECT number FROM numbers(300000)')) {
    assert.equal(number, String(count++))
    if (count === 100_000) break
  }
  assert.equal(engine.state().queries.busy, 0)
})

test('a query that needs too much memory fails alone', async () => {
  const { pid } = engine.state().process!
  const others = Promise.all(Array.from({ length: 5 }, () => engine.query('SELECT sleep(0.05)')))
  await assert.rejects(engine.query('SELECT length(groupArray(number)) FROM numbers(1000000000)'), {
    message: 'cannot run query: it needs more memory than query.memory; narrow the question, or raise that',
  })
  await others
  assert.deepEqual(await engine.query('SELECT 1'), [[1]])
  assert.equal(engine.state().process!.pid, pid)
})

test('when its process ends, callers learn when to try again, and the engine starts again', async () => {
  const { pid, restarts } = engine.state().process!
  const asked = engine.query('SELECT sum(sleep(1)) FROM numbers(3)')
  await sleep(100)
  process.kill(pid!, 'SIGSEGV')
  await assert.rejects(asked, { code: 'store_unavailable', canRetry: true, retryAfterMs: 1000, message: /SIGSEGV/ })
  await assert.rejects(engine.execute('SELECT 1'), { code: 'store_unavailable', canRetry: true })
  await untilBack(engine, restarts + 1)
  assert.deepEqual(await engine.query('SELECT 1'), [[1]])
  assert.match(engine.state().process!.lastEnd!.why, /SIGSEGV/)
  assert.ok(problems.some((message) => message.includes('SIGSEGV')))
  assert.equal(engine.state().queries.busy, 0)
})

test('a second engine waits for the folder, and says who has it', { timeout: 60_000 }, async () => {
  await assert.rejects(openChildEngine(options), {
    code: 'store_locked',
    message: new RegExp(`in use by process ${engine.state().process!.pid}`),
  })
})

test('a folder that cannot be opened is reported as such', async (t) => {
  const other = await temporaryDir()
  t.after(other.remove)
  mkdirSync(other.dir, { recursive: true })
  writeFileSync(join(other.dir, 'file'), '')
  await assert.rejects(openChildEngine({ ...options, dir: join(other.dir, 'file', 'store') }), { canRetry: false })
})
