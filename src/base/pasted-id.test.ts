import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePastedSpanId, parsePastedTraceId } from './pasted-id.ts'

const id = '4bf92f3577b34da6a3ce929d0e0e4736'
const long = '004bf92f3577b34d'.padStart(32, '0')

const pasted: readonly [text: string, trace: string | undefined][] = [
  [id, id],
  [id.toUpperCase(), id],
  [` "${id}"\n`, id],
  [`{${id}}`, id],
  [`0x${id}`, id],
  [`trace_id=${id}`, id],
  [`"traceId": "${id}",`, id],
  [`00-${id}-00f067aa0ba902b7-01`, id],
  [`traceparent: 00-${id}-00f067aa0ba902b7-01`, id],
  ['4bf92f35-77b3-4da6-a3ce-929d0e0e4736', id],
  ['1-4bf92f35-77b34da6a3ce929d0e0e4736', id],
  [`${id}-00f067aa0ba902b7-1`, id],
  ['4bf92f3577b34d:f067aa0ba902b7:0:1', long],
  ['a4bf:1:0:1', 'a4bf'.padStart(32, '0')],
  ['4BF92F3577B34D', long],
  ['004bf92f3577b34d', long],
  ['abcd', 'abcd'.padStart(32, '0')],
  ['abc', undefined],
  ['', undefined],
  ['checkout', undefined],
  ['0'.repeat(32), undefined],
  [`${id}0`, undefined],
  ['W47/95gDgQPSabYzgT/GDA==', undefined],
  [`zz-${id}-00f067aa0ba902b7-01`, undefined],
]
for (const [text, trace] of pasted) {
  test(`${JSON.stringify(text)} ${trace === undefined ? 'is not a trace id' : 'is a trace id'}`, () => {
    assert.equal(parsePastedTraceId(text), trace)
  })
}

test('a span id is padded on the left', () => {
  assert.equal(parsePastedSpanId('F067AA0BA902B7'), '00f067aa0ba902b7')
  assert.equal(parsePastedSpanId('span_id=00f067aa0ba902b7'), '00f067aa0ba902b7')
  for (const text of ['abc', '0'.repeat(16), id, 'nope']) assert.equal(parsePastedSpanId(text), undefined)
})
