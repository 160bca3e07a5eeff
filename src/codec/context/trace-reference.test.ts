import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  findTraceReference,
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
  for (const text of ['0'.repeat(32), '12', `projects/a/b/traces/${trace}`, `1-4bf92f35-77b34da6a3ce929d0e0e4736@1`])
    assert.equal(parseLooseReference(text), undefined)
})

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
