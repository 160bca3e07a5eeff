import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mentionsContext } from './context-marks.ts'
import { findTraceReference } from './text-reference.ts'
import {
  parseB3,
  parseLooseReference,
  parseTraceparent,
  parseUberTraceId,
  parseXRay,
  type TraceReference,
} from './trace-reference.ts'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const span = '00f067aa0ba902b7'

const show = (found: TraceReference | undefined): string =>
  found === undefined ? 'none' : `${found.traceId} ${found.spanId ?? '-'} ${found.flags}`

const both = (flags: number): string => `${trace} ${span} ${flags}`

for (const [text, expected] of [
  [`00-${trace}-${span}-01`, both(1)],
  [`00-${trace.toUpperCase()}-${span}-00`, both(0)],
  [`cc-${trace}-${span}-03-what.the.future.brings`, both(3)],
  [`00-${trace}-${span}-01-extra`, 'none'],
  [`ff-${trace}-${span}-01`, 'none'],
  [`00-${'0'.repeat(32)}-${span}-01`, 'none'],
  [`00-${trace}-${'0'.repeat(16)}-01`, 'none'],
  ['garbage', 'none'],
]) {
  test(`traceparent ${text} is ${expected}`, () => assert.equal(show(parseTraceparent(text!)), expected))
}

for (const [text, expected] of [
  [`${trace}-${span}-1`, both(1)],
  [`${trace}-${span}-d-05e3ac9a4f6e3b90`, both(1)],
  [`${trace}-${span}`, both(0)],
  [`a3ce929d0e0e4736-${span}-0`, `0000000000000000a3ce929d0e0e4736 ${span} 0`],
  ['0', 'none'],
]) {
  test(`b3 ${text} is ${expected}`, () => assert.equal(show(parseB3(text!)), expected))
}

for (const [text, expected] of [
  [`${trace}:${span}:0:1`, both(1)],
  [`${trace}%3A${span}%3A0%3A0`, both(0)],
  ['abc:def:0:1', `${'abc'.padStart(32, '0')} ${'def'.padStart(16, '0')} 1`],
  ['0:0:0:0', 'none'],
]) {
  test(`uber-trace-id ${text} is ${expected}`, () => assert.equal(show(parseUberTraceId(text!)), expected))
}

for (const [text, expected] of [
  [`Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=${span};Sampled=1`, both(1)],
  [`Self=1-67891234-12456789abcdef012345678a;Root=1-4bf92f35-77b34da6a3ce929d0e0e4736`, `${trace} - 0`],
  ['Root=2-x', 'none'],
]) {
  test(`X-Ray ${text} is ${expected}`, () => assert.equal(show(parseXRay(text!)), expected))
}

test("bare trace ids come as hex, UUID, in X-Ray's or in Google's form", () => {
  for (const text of [
    trace,
    trace.toUpperCase(),
    '4bf92f35-77b3-4da6-a3ce-929d0e0e4736',
    '1-4bf92f35-77b34da6a3ce929d0e0e4736',
    `projects/shop-1/traces/${trace}`,
  ]) {
    assert.equal(show(parseLooseReference(text)), `${trace} - 0`)
  }
  assert.equal(show(parseLooseReference(`1-4bf92f35-77b34da6a3ce929d0e0e4736@${span}`)), both(0))
  for (const text of [
    '0'.repeat(32),
    '12',
    '1763900000000',
    `projects/a/b/traces/${trace}`,
    `1-4bf92f35-77b34da6a3ce929d0e0e4736@1`,
  ])
    assert.equal(parseLooseReference(text), undefined)
})

for (const [text, expected] of [
  [`00-${trace}-${span}-01`, both(1)],
  [`Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=${span};Sampled=1`, both(1)],
  [`|${trace}.${span}.7_`, both(0)],
  [`${trace}-${span}-1`, both(1)],
  [`${trace}/67667974448284343;o=1`, `${trace} ${span} 1`],
  [`${trace}:${span}:0:1`, both(1)],
  ['f92f3577b34da6a3ce929d0e0e4736', `00${trace.slice(2)} - 0`],
  ['f92f3577b34da', '0000000000000000000f92f3577b34da - 0'],
  [trace.toUpperCase(), `${trace} - 0`],
]) {
  test(`a trace id's name over ${text} is ${expected}`, () => assert.equal(show(parseLooseReference(text!)), expected))
}

for (const [text, expected] of [
  [`2026-11-23 10:00:00 INFO [shop] [trace_id=${trace} span_id=${span} resource.service.name=x] - paid`, both(0)],
  [`paid {"traceId":"${trace}","spanId":"${span}"}`, both(0)],
  [`GET / traceparent=00-${trace}-${span}-01 200`, both(1)],
  [`GET / "X-B3-TraceId": "${trace}", "X-B3-SpanId": "${span}"`, both(0)],
  [`lb X-Amzn-Trace-Id="Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=${span};Sampled=1"`, both(1)],
  [`AWS-XRAY-TRACE-ID: 1-4bf92f35-77b34da6a3ce929d0e0e4736@${span} paid`, both(0)],
  [`REPORT RequestId: 1 XRAY TraceId: 1-4bf92f35-77b34da6a3ce929d0e0e4736\tSegmentId: ${span}\tSampled: true`, both(0)],
  ['xray_trace_id=1-4bf92f35-77b34da6a3ce929d0e0e4736 paid', `${trace} - 0`],
  ['trace_id=0 span_id=0 nothing', 'none'],
  ['the trace went cold', 'none'],
  [`fail: Api.Cart[0] (traceId: 00-${trace}-${span}-01)`, both(1)],
  [`=> SpanId:${span}, TraceId:${trace}, ParentId:0000000000000000 => RequestId:0HMQ:00000002`, both(0)],
  [`RequestId: |${trace}.${span}. done`, both(0)],
  [`Activity.Id=00-${trace}-${span}-01 done`, both(1)],
  [`INFO 4711 --- [cart] [nio-8080-exec-1] [${trace}-${span}] c.e.Cart : priced`, both(0)],
  [`INFO [cart,${trace},${span}] 4711 --- [main] c.e.Cart : priced`, both(0)],
  [`INFO [,${span},${span},true] 4711`, `0000000000000000${span} ${span} 0`],
  ['INFO [cart,,] 4711', 'none'],
  [`INFO [cart,${trace},7] 4711`, 'none'],
  [
    `[dd.service=a dd.trace_id=5387866876193 dd.span_id=67667974448284343] x`,
    `${(5387866876193).toString(16).padStart(32, '0')} ${span} 0`,
  ],
  [`h2 2026 app/a 1.2.3.4:1 "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736" "-"`, `${trace} - 0`],
  [
    `lb Self=1-67891234-12456789abcdef012345678a;Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=${span};Sampled=1`,
    both(1),
  ],
  [`GET / X-Cloud-Trace-Context: ${trace}/67667974448284343;o=1`, both(1)],
  [`x {"trace":{"id":"${trace}"},"span":{"id":"${span}"}} y`, both(0)],
  [`x trace.id=${trace} transaction.id=${span} span.id=None`, both(0)],
  [`trace=projects/p/traces/${trace} x`, `${trace} - 0`],
  [`10.0.0.1 "GET /" 200 ${trace} request_id=${trace} ${trace.slice(0, 16)}`, 'none'],
  [`"x-request-id": "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"`, 'none'],
  [`job 00-${trace}-${span}-01-02 a-${trace}-${span}-b`, 'none'],
]) {
  test(`text "${text}" names ${expected}`, () => assert.equal(show(findTraceReference(text!)), expected))
}

test('no text makes a parser throw or find an id of another length', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 120 }), (text) => {
      for (const parse of [parseTraceparent, parseB3, parseUberTraceId, parseXRay, findTraceReference]) {
        const found = parse(text)
        if (found !== undefined) assert.match(show(found), /^[0-9a-f]{32} ([0-9a-f]{16}|-) \d+$/)
      }
    }),
  )
})

test('every text that names a trace passes the quick check of its bytes', () => {
  const piece = fc.constantFrom(
    '[',
    ']',
    ',',
    '-',
    '|',
    'Root=1-',
    trace,
    span,
    trace.slice(0, 24),
    trace.slice(0, 8),
    '00',
    '01',
    '.',
    'trace_id=',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const bytes = Buffer.from(pieces.join(''))
      if (findTraceReference(bytes.toString()) !== undefined) assert.ok(mentionsContext(bytes, 0, bytes.length))
    }),
    { numRuns: 2000 },
  )
})
