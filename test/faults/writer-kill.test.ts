/**
 * The writer is killed at chosen points of storing a block, and again while it repeats the block after the restart.
 * Whatever came before, in the end every row is stored once. The blocks go over two partitions (midnight of UTC).
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../scenarios/clew-process.ts'
import { eventsPerRequest, spansPerRequest } from '../support/numbered-requests.ts'
import type { Census } from '../support/store-census.ts'

const program = join(import.meta.dirname, '../support/writer-process.ts')

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

function run(dir: string, ...args: readonly (string | number)[]): Promise<Ended> {
  const child = spawn(process.execPath, [program, dir, ...args.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, ...output })))
}

async function runWell(dir: string, ...args: readonly (string | number)[]): Promise<string> {
  const { code, stdout, stderr } = await run(dir, ...args)
  assert.equal(code, 0, stderr)
  return stdout
}

async function runAndDie(dir: string, kill: string): Promise<void> {
  const { signal, stderr } = await run(dir, 'store', kill)
  assert.equal(signal, 'SIGKILL', `${kill}: ${stderr}`)
}

async function censusOf(dir: string): Promise<Census> {
  return JSON.parse(await runWell(dir, 'census')) as Census
}

function assertOnce(census: Census, requests: number, when: string): void {
  const spans = requests * spansPerRequest
  const events = requests * eventsPerRequest
  const { spansByDay, ...counts } = census
  assert.deepEqual(
    counts,
    { spans, spanIds: spans, events, bodies: events, summed: spans, wrongTraces: 0 },
    `stored once, ${when}`,
  )
  assert.deepEqual(spansByDay, [spans / 2, spans / 2])
}

/** In the order in which a writer passes them; `part of` is seen by the first attempt alone. */
const points = ['before traces', 'after traces', 'before spans', 'part of spans', 'after spans', 'before commit']
const requests = 40

/** A replay inserts only what is not there yet, so it dies nowhere before the point where the attempt before it died. */
function deadlyAfter(point: string): string[] {
  const later = points.slice(points.indexOf(point) + (point.startsWith('after') ? 1 : 0))
  // When the first part of the spans was seen, the others may have been there as well.
  return later.filter((each) => each !== 'part of spans' && (point !== 'part of spans' || each === 'before commit'))
}

for (const point of points) {
  test(`a kill ${point}, then one at every later point of the replay: stored once`, async () => {
    const dir = temporaryFolder()
    await runWell(dir, 'append', 0, 10)
    await runWell(dir, 'store')
    // Of the spans that come now some are stored, and most of the others come twice, in requests of other bytes.
    await runWell(dir, 'straddle', 5, 8)
    await runWell(dir, 'append', 10, requests - 10)
    await runWell(dir, 'straddle', 13, requests - 14)
    await runAndDie(dir, point)
    for (const again of deadlyAfter(point)) await runAndDie(dir, again)
    await runWell(dir, 'append', requests, 10)
    await runWell(dir, 'straddle', 2, requests)
    await runWell(dir, 'store')
    assertOnce(await censusOf(dir), requests + 10, `killed ${point}`)
  })
}

test('a kill between the two partitions of a block leaves one, and the replay adds the other', async () => {
  let halves = 0
  let appended = 0
  const dir = temporaryFolder()
  // The gap is a millisecond: not every try lands in it.
  for (let round = 0; round < 8 && halves < 2; round++) {
    await runWell(dir, 'append', appended, 10)
    const before = (await censusOf(dir)).spans
    appended += 10
    await runAndDie(dir, 'part of spans')
    const added = (await censusOf(dir)).spans - before
    assert.ok([0, 0.5, 1].includes(added / (10 * spansPerRequest)), `${added} rows of a block`)
    if (added === 5 * spansPerRequest) halves++
    await runWell(dir, 'store')
    assertOnce(await censusOf(dir), appended, `in round ${round}`)
  }
  assert.ok(halves > 0, 'no kill landed between the partitions')
})

test('kills at any moment of an insert: stored once', async () => {
  const dir = temporaryFolder()
  let appended = 0
  for (const [index, ms] of [1, 3, 6, 9, 13, 18].entries()) {
    await runWell(dir, 'append', appended, 10)
    appended += 10
    await run(dir, 'store', `${['spans', 'traces', 'events'][index % 3]}+${ms}`)
  }
  await runWell(dir, 'store')
  assertOnce(await censusOf(dir), appended, 'after kills at any moment')
})

test('a kill between the note of a part and the part itself loses nothing', async () => {
  // The engine notes the token of a part before the part gets its name. That state is put together: the store as it was
  // before the block, with the notes that storing the block left.
  const dir = temporaryFolder()
  await runWell(dir, 'append', 0, requests)
  const copy = join(temporaryFolder(), 'copy')
  cpSync(dir, copy, { recursive: true })
  await runWell(dir, 'store')
  const notes = readdirSync(join(dir, 'store/store'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /deduplication_logs\/[^/]+\.txt$/.test(path))
    .map((path) => ({ path: join(dir, 'store/store', path), text: readFileSync(join(dir, 'store/store', path)) }))
    .filter(({ text }) => text.length > 0)
  assert.ok(notes.length >= 3, 'the engine keeps notes for each table')
  // Under the same path, as the engine links its folders by their whole paths.
  rmSync(dir, { recursive: true })
  renameSync(copy, dir)
  await runAndDie(dir, 'before traces')
  for (const { path, text } of notes) writeFileSync(path, text)
  await runWell(dir, 'store')
  assertOnce(await censusOf(dir), requests, 'with notes of parts that are not there')
})
