/** `clew import` of every kind of file, of broken ones, and through a network that fails. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { runClew, serveClew, temporaryFolder } from './clew-process.ts'
import type { RunOptions, RunResult, ServedClew } from './clew-process.ts'
import { shopTrace, spansById } from './shop-trace.ts'

let clew: ServedClew
const folder = temporaryFolder()

before(async () => {
  clew = await serveClew()
})
after(() => clew.stop())

function file(name: string, bytes: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

function runImport(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runClew(['import', ...args, '--url', clew.url], options)
}

/** Spans of a trace by id, once there are so many or two seconds and some have passed. */
async function foundSpans(traceId: string, count: number): Promise<Map<string, unknown>> {
  for (const deadline = Date.now() + 4000; ; await sleep(100)) {
    const response = await fetch(`${clew.url}/api/v1/traces/${traceId}`)
    const found = response.ok ? spansById(await response.text()) : new Map<string, unknown>()
    if (found.size >= count || Date.now() > deadline) return found
  }
}

async function assertStored(traceId: string, traces: unknown): Promise<void> {
  const expected = spansById(JSON.stringify(traces))
  assert.deepEqual(await foundSpans(traceId, expected.size), expected)
}

/** A protobuf ExportTraceServiceRequest with spans of an id and a name only; see opentelemetry-proto trace/v1. */
function protobufRequest(traceId: string, spanIds: readonly string[]): Uint8Array {
  const field = (number: number, value: Uint8Array): Uint8Array => {
    const length = value.length < 0x80 ? [value.length] : [(value.length & 0x7f) | 0x80, value.length >> 7]
    return Buffer.from([(number << 3) | 2, ...length, ...value])
  }
  const time = (number: number, nanos: bigint): Uint8Array => {
    const bytes = Buffer.alloc(9, (number << 3) | 1)
    bytes.writeBigUInt64LE(nanos, 1)
    return bytes
  }
  const now = BigInt(Date.now()) * 1_000_000n
  const spans = spanIds.map((spanId) =>
    field(
      2,
      Buffer.concat([
        field(1, Buffer.from(traceId, 'hex')),
        field(2, Buffer.from(spanId, 'hex')),
        field(5, Buffer.from('imported')),
        time(7, now),
        time(8, now + 1000n),
      ]),
    ),
  )
  return field(1, field(2, Buffer.concat(spans)))
}

test('JSON that is indented, a document a line, compressed or from standard input is stored whole', async () => {
  const [one, two, three, four] = Array.from({ length: 4 }, () => shopTrace())
  const files = [
    file('one.json', JSON.stringify(one?.traces, null, 2)),
    file('two.jsonl.gz', gzipSync(`${JSON.stringify(two?.traces)}\n${JSON.stringify(two?.logs)}\n`)),
    file('three.zst', zstdCompressSync(JSON.stringify(three?.traces))),
    '-',
  ]
  const { code, stdout, stderr } = await runImport(files, { stdin: JSON.stringify(four?.traces) })
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^imported 13 records, rejected 0, from 4 files in /)
  for (const trace of [one, two, three, four]) await assertStored(trace?.traceId ?? '', trace?.traces)
})

test('lines of traces and logs in turns are gathered into few requests', async () => {
  const traces = Array.from({ length: 100 }, () => shopTrace())
  const lines = traces.flatMap((trace) => [JSON.stringify(trace.traces), JSON.stringify(trace.logs)])
  const { code, stdout } = await runImport([file('turns.jsonl', lines.join('\n'))])
  assert.equal(code, 0)
  assert.match(stdout, /^imported 400 records, rejected 0, from 1 file in .* \(2 requests\)\n$/)
})

test('protobuf is stored whole, cut into small requests', async () => {
  const { traceId } = shopTrace()
  const spanIds = Array.from({ length: 60 }, (_, index) => (index + 1).toString(16).padStart(16, '0'))
  const path = file(
    'spans.pb',
    Buffer.concat([0, 20, 40].map((from) => protobufRequest(traceId, spanIds.slice(from, from + 20)))),
  )
  const { code, stdout } = await runImport([path, '--request-bytes', '1KiB'])
  assert.equal(code, 0)
  assert.match(stdout, /^imported 60 records, rejected 0, from 1 file in .* \([4-9] requests\)\n$/)
  const found = await foundSpans(traceId, 60)
  assert.deepEqual([...found.keys()], spanIds)
})

test('numbers beyond 2^53 that a program wrote as JSON numbers keep every digit', async () => {
  const { traceId, traces } = shopTrace()
  const text = JSON.stringify(traces).replaceAll(/"(startTimeUnixNano|endTimeUnixNano)":"(\d+)"/g, '"$1":$2')
  assert.ok(!text.includes('UnixNano":"1') || text.includes('timeUnixNano"'), 'the times must be numbers now')
  assert.equal((await runImport([file('numbers.json', text), '--request-bytes', '1KiB'])).code, 0)
  await assertStored(traceId, traces)
})

test('a span that is refused, a broken line and a file of another kind cost only themselves', async () => {
  const good = shopTrace()
  const bad = JSON.stringify(shopTrace().traces).replace(/"spanId":"\w{16}"/, '"spanId":"0000000000000000"')
  const lines = file('mixed.jsonl', `${JSON.stringify(good.traces)}\n{"resourceSpans":[\n${bad}\n`)
  const { code, stdout, stderr } = await runImport([file('table.csv', 'a,b\n'), lines])
  assert.equal(code, 1)
  assert.match(stdout, /^imported 5 records, rejected 1, from 2 files in /)
  assert.match(stderr, /^cannot import .*table\.csv: it is none of what clew imports/m)
  assert.match(stderr, /^cannot import .*mixed\.jsonl: broken JSON document at byte \d+$/m)
  await assertStored(good.traceId, good.traces)
})

test('a request that is refused for good is halved until the element at fault stands alone', async () => {
  const traces = Array.from({ length: 5 }, () => shopTrace())
  const lines = traces.map((trace) => JSON.stringify(trace.traces))
  // Valid as JSON, wrong as OTLP: the receiver refuses the whole request that holds it.
  lines.splice(2, 0, '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":7}]}]}]}')
  const { code, stdout, stderr } = await runImport([file('refused.jsonl', lines.join('\n'))])
  assert.equal(code, 1, stdout)
  assert.match(stdout, /^imported 15 records, rejected 1, /)
  assert.notEqual(stderr, '')
  for (const trace of traces) await assertStored(trace.traceId, trace.traces)
})

test('what may be retried is, after the time the receiver asks for, and stored once', async () => {
  const { traceId, traces } = shopTrace()
  const proxy = await faultyProxy(clew.otlpUrl, ['cut', '503', 'cut', 'pass'])
  const startedAt = Date.now()
  const first = await runClew([
    'import',
    file('first.json', JSON.stringify(shopTrace().traces)),
    '--otlp-url',
    clew.otlpUrl,
  ])
  assert.equal(first.code, 0)
  const { code, stdout } = await runClew([
    'import',
    file('retry.json', JSON.stringify(traces)),
    '--otlp-url',
    proxy.url,
    '--retry-for',
    '20s',
  ])
  await proxy.close()
  assert.equal(code, 0)
  assert.match(stdout, /^imported 3 records, rejected 0, from 1 file in .* \(4 requests, 3 of them retries\)\n$/)
  assert.ok(Date.now() - startedAt >= 1000, 'Retry-After was one second')
  await assertStored(traceId, traces)
})

test('a receiver that goes on refusing ends import with 1 once the time is over', async () => {
  const proxy = await faultyProxy(clew.otlpUrl, Array(20).fill('503') as '503'[])
  const path = file('refused.json', JSON.stringify(shopTrace().traces))
  const { code, stdout, stderr } = await runClew(['import', path, '--otlp-url', proxy.url, '--retry-for', '1500ms'])
  await proxy.close()
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /it still answers 503 after 1500 ms/)
})

test('import says what will not stay or was changed, and what to do', async () => {
  const span = (id: string, timeMs: number, name = 'x'): object => ({
    traceId: 'ab12',
    spanId: id,
    name,
    startTimeUnixNano: `${BigInt(timeMs) * 1_000_000n}`,
    endTimeUnixNano: `${BigInt(timeMs) * 1_000_000n}`,
  })
  const spans = [
    span('01', Date.now() - 400 * 86_400_000),
    span('02', Date.now()),
    span('03', Date.now() + 7_200_000),
    span('04', Date.now(), '?'),
  ]
  const bytes = Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }))
  bytes[bytes.indexOf('"?"') + 1] = 0xc3
  const { code, stdout, stderr } = await runImport([file('old.json', bytes)])
  assert.equal(code, 0)
  assert.match(stdout, /^imported 4 records, rejected 0, /)
  assert.match(
    stderr,
    /! 1 of them are older than the retention: clew removes them within minutes\n {2}to do: .*--retention-spans/,
  )
  assert.match(stderr, /! 1 of them have times in the future/)
  assert.match(stderr, /! 1 values are not stored as the file has them/)
  const status = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as {
    farOff: { kind: string; count: number }[]
  }
  assert.ok(
    status.farOff.some(({ kind, count }) => kind === 'ahead' && count === 1),
    JSON.stringify(status.farOff),
  )
})

test('a trace is found by its id without leading zeros, in capitals and as a traceparent', async () => {
  const { traceId, traces } = shopTrace()
  const short = `00${traceId.slice(2)}`
  const path = file('short.json', JSON.stringify(traces).replaceAll(traceId, short))
  await runImport([path])
  assert.ok((await foundSpans(short, 1)).size > 0)
  for (const pasted of [short.replace(/^0+/, ''), short.toUpperCase(), `00-${short}-00f067aa0ba902b7-01`]) {
    const { code, stdout } = await runClew(['trace', pasted, '--json', '--url', clew.url])
    assert.equal(code, 0, pasted)
    assert.ok(stdout.includes(short), pasted)
  }
})

/** Stands before the real receiver and fails as networks and load balancers do: in this order, then it passes all on. */
async function faultyProxy(
  target: string,
  faults: ('503' | 'cut' | 'pass')[],
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const fault = faults.shift() ?? 'pass'
    if (fault === '503') return response.writeHead(503, { 'retry-after': '1' }).end()
    const headers = { 'content-type': request.headers['content-type'] ?? '' }
    const answer = await fetch(target + request.url, { method: 'POST', headers, body: Buffer.concat(parts) })
    const body = await answer.bytes()
    // The receiver has it, but its answer is lost on the way: the retry must not store it twice.
    if (fault === 'cut') return response.destroy()
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
