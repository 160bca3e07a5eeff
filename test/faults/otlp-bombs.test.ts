import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import zlib from 'node:zlib'
import { bytesField, message } from '../../src/codec/otlp/wire-writer.ts'
import { fullBytes, repeated, repeatedText } from '../support/full-body.ts'
import { oneSpan } from '../support/otlp-sample.ts'

const protobuf = 'application/x-protobuf'
const json = 'application/json'
const mebibyte = 1 << 20
/**
 * What the process may take at its worst beyond what it needs idle: the body in its pieces and whole, its unpacked form,
 * and what is made of it, before anything is collected.
 */
const growthBytesMax = 600 * mebibyte

let child: ChildProcess
let base: string
let idleBytes: number

before(async () => {
  const script = fileURLToPath(new URL('../support/receiving-process.ts', import.meta.url))
  child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  base = `http://${(JSON.parse(line.toString()) as { http: string }).http}`
  await send('/v1/traces', oneSpan(), { 'content-type': protobuf })
  idleBytes = memory('VmRSS')
})
after(async () => {
  child.stdin!.end()
  await once(child, 'exit')
})

/** Linux counts resident memory, and its highest point, for every process. */
function memory(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'latin1')
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)![1]) * 1024
}

async function send(path: string, body: Uint8Array, headers: Record<string, string>) {
  const response = await fetch(base + path, { method: 'POST', body: Buffer.from(body), headers })
  return { status: response.status, text: await response.text() }
}

/** Sends one body; it must be answered, the process stay within its memory, and the next request be served. */
async function withstands(path: string, body: Uint8Array, headers: Record<string, string>) {
  // Sets the highest point back to what is resident now.
  writeFileSync(`/proc/${child.pid}/clear_refs`, '5')
  const answer = await send(path, body, headers)
  const grown = memory('VmHWM') - idleBytes
  assert.ok(grown < growthBytesMax, `memory grew by ${Math.round(grown / mebibyte)} MiB`)
  assert.equal((await send('/v1/traces', oneSpan(), { 'content-type': protobuf })).status, 200)
  return answer
}

test('a body of 100 MB is refused', async () => {
  for (const type of [protobuf, json]) {
    const { status } = await withstands('/v1/traces', Buffer.alloc(100_000_000, 0x20), { 'content-type': type })
    assert.equal(status, 413)
  }
})

test('a small body that unpacks to a gigabyte is refused, in every encoding', async () => {
  const zeros = Buffer.alloc(1 << 30)
  const bombs = {
    gzip: zlib.gzipSync(zeros, { level: 9 }),
    deflate: zlib.deflateSync(zeros, { level: 9 }),
    zstd: zlib.zstdCompressSync(zeros),
  }
  for (const [encoding, body] of Object.entries(bombs)) {
    assert.ok(body.length < 2 * mebibyte)
    const headers = { 'content-type': protobuf, 'content-encoding': encoding }
    const { status, text } = await withstands('/v1/traces', body, headers)
    assert.equal(status, 413, encoding)
    assert.match(text, /larger than 67108864 bytes after decompression/)
  }
})

/** Four of the largest are worked on, four more are being unpacked, and about as much waits for the garbage collector. */
const manyGrowthBytesMax = 1024 * mebibyte

test('thirty requests at once that each unpack to the limit', async () => {
  const attribute = bytesField(
    9,
    message(bytesField(1, Buffer.from('k')), bytesField(2, bytesField(1, Buffer.alloc(fullBytes)))),
  )
  const body = zlib.zstdCompressSync(inOneSpan(attribute))
  const headers = { 'content-type': protobuf, 'content-encoding': 'zstd' }
  writeFileSync(`/proc/${child.pid}/clear_refs`, '5')
  const statuses = await Promise.all(
    Array.from({ length: 30 }, async () => (await send('/v1/traces', body, headers)).status),
  )
  assert.deepEqual([...new Set(statuses)], [200])
  const grown = memory('VmHWM') - idleBytes
  assert.ok(grown < manyGrowthBytesMax, `memory grew by ${Math.round(grown / mebibyte)} MiB`)
})

/** A request of one span that has, after its ids, all of these bytes. */
function inOneSpan(bytes: Uint8Array): Buffer {
  const ids = message(bytesField(1, Buffer.alloc(16, 1)), bytesField(2, Buffer.alloc(8, 2)))
  return inOneScope(bytesField(2, message(ids, bytes)))
}

function inOneScope(rows: Uint8Array): Buffer {
  return message(bytesField(1, message(bytesField(2, rows))))
}

const empty = Buffer.alloc(0)

/** Bodies whose every few bytes ask for an object, a row or a column entry. */
const protobufBombs: Record<string, () => Buffer> = {
  'empty resources': () => repeated(bytesField(1, empty)),
  'empty scopes': () => message(bytesField(1, repeated(bytesField(2, empty)))),
  'spans without ids': () => inOneScope(repeated(bytesField(2, empty))),
  'spans with nothing but ids': () =>
    inOneScope(repeated(bytesField(2, message(bytesField(1, Buffer.alloc(16, 1)), bytesField(2, Buffer.alloc(8, 1)))))),
  'empty attributes': () => inOneSpan(repeated(bytesField(9, empty))),
  'empty events': () => inOneSpan(repeated(bytesField(11, empty))),
  'links without ids': () => inOneSpan(repeated(bytesField(13, empty))),
  'links with ids': () =>
    inOneSpan(repeated(bytesField(13, message(bytesField(1, Buffer.alloc(16, 1)), bytesField(2, Buffer.alloc(8, 1)))))),
  'an array of empty values': () =>
    inOneSpan(bytesField(9, bytesField(2, bytesField(5, repeated(bytesField(1, empty)))))),
  'an event of empty attributes': () => inOneSpan(bytesField(11, repeated(bytesField(3, empty)))),
  'a resource of empty attributes': () =>
    message(bytesField(1, message(bytesField(1, repeated(bytesField(1, empty))), bytesField(2, bytesField(2, empty))))),
  'one text of control characters': () => inOneSpan(bytesField(5, Buffer.alloc(fullBytes, 1))),
  'an event named with control characters': () => inOneSpan(bytesField(11, bytesField(2, Buffer.alloc(fullBytes, 1)))),
}

for (const [name, make] of Object.entries(protobufBombs)) {
  test(`in protobuf: ${name}`, async () => {
    const { status } = await withstands('/v1/traces', make(), { 'content-type': protobuf })
    assert.ok([200, 400, 413].includes(status), `status ${status}`)
  })
}

const ids = '"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"'
const frame = (spans: string): [string, string] => [`{"resourceSpans":[{"scopeSpans":[{"spans":[${spans}`, `]}]}]}`]

const [head, tail] = frame(`{${ids}`)
const jsonBombs: Record<string, () => Buffer> = {
  'an unknown array of empty objects': () => repeatedText('{},', '{"x":[', ']}'),
  'an unknown array of numbers': () => repeatedText('0,', '{"x":[', ']}'),
  'empty resources': () => repeatedText('{},', '{"resourceSpans":[', ']}'),
  'empty spans': () => repeatedText('{},', ...frame('')),
  'spans that are null': () => repeatedText('null,', ...frame('')),
  'empty attributes': () => repeatedText('{},', `${head},"attributes":[`, `]}${tail}`),
  'empty events': () => repeatedText('{},', `${head},"events":[`, `]}${tail}`),
  'an array of empty values': () =>
    repeatedText('{},', `${head},"attributes":[{"value":{"arrayValue":{"values":[`, `]}}}]}${tail}`),
  brackets: () => Buffer.alloc(fullBytes, '['),
  'one long text of escapes': () => repeatedText('\\u0001', `${head},"name":"`, ` "}${tail}`),
  'one number of many digits': () => repeatedText('1', `${head},"kind":`, `1}${tail}`),
}

for (const [name, make] of Object.entries(jsonBombs)) {
  test(`in JSON: ${name}`, async () => {
    const { status } = await withstands('/v1/traces', make(), { 'content-type': json })
    assert.ok([200, 400, 413].includes(status), `status ${status}`)
  })
}
