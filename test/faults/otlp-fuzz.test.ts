import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InputError } from '../../src/base/errors.ts'
import type { Codec, Decoded } from '../../src/codec/codec.ts'
import { otlpLogsJson } from '../../src/codec/otlp/logs-json.ts'
import { otlpLogsProtobuf } from '../../src/codec/otlp/logs-protobuf.ts'
import { countDataPointsJson } from '../../src/codec/otlp/metrics-json.ts'
import { countDataPointsProtobuf } from '../../src/codec/otlp/metrics-protobuf.ts'
import { printLogs, printTraces } from '../../src/codec/otlp/print-json.ts'
import { otlpTracesJson } from '../../src/codec/otlp/traces-json.ts'
import { otlpTracesProtobuf } from '../../src/codec/otlp/traces-protobuf.ts'
import { bytesField, message, varintField } from '../../src/codec/otlp/wire-writer.ts'
import type { EventBatch } from '../../src/model/event-batch.ts'
import type { SpanBatch } from '../../src/model/span-batch.ts'
import { eventRowsOf, spanRowsOf } from '../support/batch-rows.ts'
import { logsRequest, tracesRequest } from '../support/otlp-arbitrary.ts'
import { encodeLogs, encodeSpan, encodeTraces, type Span } from '../support/otlp-encode.ts'

const context = { receivedAtMs: 1_700_000_000_000 }

interface Target {
  readonly name: string
  readonly codec: Codec
  /** Requests as this decoder takes them, a few hundred bytes to some kilobytes each. */
  readonly samples: readonly Buffer[]
}

const traces = fc.sample(tracesRequest, { seed: 7, numRuns: 30 }).map(encodeTraces).filter(isUseful)
const logs = fc.sample(logsRequest, { seed: 7, numRuns: 30 }).map(encodeLogs).filter(isUseful)

const targets: readonly Target[] = [
  { name: 'traces in protobuf', codec: otlpTracesProtobuf, samples: traces },
  { name: 'logs in protobuf', codec: otlpLogsProtobuf, samples: logs },
  { name: 'traces in JSON', codec: otlpTracesJson, samples: traces.map(tracesAsJson) },
  { name: 'logs in JSON', codec: otlpLogsJson, samples: logs.map(logsAsJson) },
]

function isUseful(body: Buffer): boolean {
  return body.length > 300 && body.length < 2500
}

function tracesAsJson(body: Buffer): Buffer {
  return Buffer.from(
    JSON.stringify(printTraces(spanRowsOf(otlpTracesProtobuf.decode(body, context).batch as SpanBatch))),
  )
}

function logsAsJson(body: Buffer): Buffer {
  return Buffer.from(JSON.stringify(printLogs(eventRowsOf(otlpLogsProtobuf.decode(body, context).batch as EventBatch))))
}

function rowsOf({ batch }: Decoded): unknown[] {
  return batch.signal === 'spans' ? spanRowsOf(batch) : eventRowsOf(batch)
}

/** Decoding either gives rows that can all be read, or an error that says what is wrong. */
function survives(codec: Codec, body: Uint8Array): Decoded | undefined {
  try {
    const decoded = codec.decode(body, context)
    rowsOf(decoded)
    assert.equal(decoded.rejected > 0, decoded.rejectedReason !== '')
    return decoded
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    assert.match(error.message, /^cannot (decode|take) /)
    return undefined
  }
}

for (const { name, codec, samples } of targets) {
  test(`${name}: cut off at each byte`, () => {
    assert.ok(samples.length >= 3)
    for (const sample of samples.slice(0, 6)) {
      for (let end = 0; end < sample.length; end++) survives(codec, sample.subarray(0, end))
    }
  })

  test(`${name}: each bit flipped, and afterwards a good body is still read right`, () => {
    for (const sample of samples.slice(0, 3)) {
      const before = rowsOf(codec.decode(sample, context))
      for (let bit = 0; bit < sample.length * 8; bit++) {
        const flipped = Buffer.from(sample)
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        survives(codec, flipped)
      }
      assert.deepEqual(rowsOf(codec.decode(sample, context)), before)
    }
  })

  test(`${name}: bytes inserted, removed and overwritten at random`, () => {
    const edit = fc.record({ at: fc.nat(), remove: fc.nat({ max: 20 }), insert: fc.uint8Array({ maxLength: 12 }) })
    const sample = fc.constantFrom(...samples)
    fc.assert(
      fc.property(sample, fc.array(edit, { minLength: 1, maxLength: 4 }), (body, edits) => {
        let bytes = body
        for (const { at, remove, insert } of edits) {
          const start = at % (bytes.length + 1)
          bytes = Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)])
        }
        survives(codec, bytes)
      }),
      { numRuns: 2000 },
    )
  })

  test(`${name}: noise`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void survives(codec, bytes)),
      { numRuns: 2000 },
    )
  })

  test(`${name}: bytes of the other decoders`, () => {
    for (const other of targets) for (const sample of other.samples) survives(codec, sample)
  })
}

test('counting data points: noise and other requests', () => {
  const bodies = [...targets.flatMap(({ samples }) => samples), ...fc.sample(fc.uint8Array({ maxLength: 200 }), 1000)]
  for (const count of [countDataPointsProtobuf, countDataPointsJson]) {
    for (const body of bodies) {
      try {
        assert.ok(count(body) >= 0)
      } catch (error) {
        assert.ok(error instanceof InputError, String(error))
      }
    }
  }
})

const goodSpan: Span = {
  traceId: Buffer.alloc(16, 1),
  spanId: Buffer.alloc(8, 2),
  traceState: 'a=b',
  parentSpanId: Buffer.alloc(8, 3),
  flags: 1,
  name: 'good',
  kind: 1,
  start: 1_700_000_000_000_000_000n,
  end: 1_700_000_000_000_000_001n,
  attributes: [],
  droppedAttributes: 0,
  events: [],
  droppedEvents: 0,
  links: [],
  droppedLinks: 0,
  status: { code: 0, message: '' },
}

/** A request with a good span, the given bytes as one, and a good span again; answers why the middle one was left out. */
function reasonFor(middle: Uint8Array): string {
  const scope = message(...[encodeSpan(goodSpan), middle, encodeSpan(goodSpan)].map((span) => bytesField(2, span)))
  const body = message(bytesField(1, message(bytesField(2, scope))))
  const { batch, rejected, rejectedReason } = otlpTracesProtobuf.decode(body, context)
  assert.deepEqual([batch.rows, rejected], [2, 1])
  assert.match(rejectedReason, /^resource_spans\[0\]\.scope_spans\[0\]\.spans\[1\]: /)
  return rejectedReason.replace(/^.*?: /, '')
}

test('a wrong span costs itself only and is told apart', () => {
  const variants: [Partial<Span>, RegExp][] = [
    [{ traceId: Buffer.alloc(16) }, /^trace_id is all zero$/],
    [{ traceId: Buffer.alloc(8, 1) }, /^trace_id has 8 bytes, not 16$/],
    [{ spanId: Buffer.alloc(0) }, /^span_id has 0 bytes, not 8$/],
    [{ start: -1n }, /^start_time_unix_nano is outside 1970-01-01 … 2262-04-11/],
    [{ end: 1n << 63n }, /^end_time_unix_nano is outside 1970-01-01 … 2262-04-11/],
    [{ events: [{ time: 1n << 63n, name: '', attributes: [], dropped: 0 }] }, /^event time_unix_nano is outside/],
  ]
  for (const [variant, reason] of variants) assert.match(reasonFor(encodeSpan({ ...goodSpan, ...variant })), reason)
})

test('text that is not UTF-8 is repaired and counted, the second time too', () => {
  const bad = Buffer.from([0x61, 0xc3, 0x28])
  const head = encodeSpan(goodSpan)
  const pieces: [Uint8Array, RegExp][] = [
    [bytesField(5, bad), /span name is not valid UTF-8/],
    [bytesField(3, bad), /trace_state is not valid UTF-8/],
    [bytesField(9, bytesField(1, bad)), /attribute key is not valid UTF-8/],
    [bytesField(9, bytesField(2, bytesField(1, bad))), /attribute value is not valid UTF-8/],
    [bytesField(11, bytesField(2, bad)), /event name is not valid UTF-8/],
    [bytesField(15, bytesField(2, bad)), /status\.message is not valid UTF-8/],
  ]
  for (const [piece, reason] of pieces) {
    const span = message(head, piece)
    const scope = message(bytesField(2, span), bytesField(2, span), bytesField(2, head))
    const body = message(bytesField(1, message(bytesField(2, scope))))
    const { batch, rejected, repaired, repairedReason } = otlpTracesProtobuf.decode(body, context)
    assert.deepEqual([batch.rows, rejected, repaired], [3, 0, 2])
    assert.match(repairedReason!, reason)
    const [first, second, last] = spanRowsOf(batch as SpanBatch)
    assert.ok(JSON.stringify(printTraces([first!])).includes('a\ufffd('), String(reason))
    assert.deepEqual(second, first)
    assert.equal(last!.name, 'good')
  }
})

test('nesting without end, in values and in JSON, is refused and not followed', () => {
  let value: Uint8Array = Buffer.alloc(0)
  for (let depth = 0; depth < 5000; depth++) value = bytesField(5, bytesField(1, value))
  const attribute = bytesField(9, message(bytesField(1, Buffer.from('k')), bytesField(2, value)))
  assert.match(reasonFor(message(encodeSpan(goodSpan), attribute)), /nests deeper than 32 levels/)
  for (const open of ['[', '{"a":', '{"resourceSpans":[']) {
    const body = Buffer.from(open.repeat(200_000))
    assert.throws(() => otlpTracesJson.decode(body, context), /nests deeper than 512 levels/)
  }
})

test('lengths beyond the message, of any size, name their place', () => {
  for (const length of [1n, 0x7fn, 0x7fffffffn, 0xffffffffn, 0x100000000n, (1n << 63n) - 1n, (1n << 64n) - 1n]) {
    const bytes = Buffer.concat([Buffer.from([0x0a]), varintField(1, length).subarray(1)])
    assert.throws(
      () => otlpTracesProtobuf.decode(bytes, context),
      (error) => error instanceof InputError && /runs past the end|over 4 GiB/.test(error.message),
    )
  }
})

test('groups, field number 0 and endless varints are refused', () => {
  for (const bytes of [[0x0b], [0x00], [0x0c], [0x08, ...Array<number>(11).fill(0xff)], [0x0e], [0x0f]]) {
    assert.throws(() => otlpTracesProtobuf.decode(Buffer.from(bytes), context), InputError)
    assert.throws(() => otlpLogsProtobuf.decode(Buffer.from(bytes), context), InputError)
  }
})
