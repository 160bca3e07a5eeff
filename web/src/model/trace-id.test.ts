import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pastedTraceId } from './trace-id.ts'

const id = '0bf92f3577b34da6a3ce929d0e0e4736'

test('a trace id is recognised in every form that people paste', () => {
  for (const text of [
    id,
    id.toUpperCase(),
    ` ${id}\n`,
    `"${id}"`,
    id.slice(1),
    `00-${id}-00f067aa0ba902b7-01`,
    `trace_id=${id}`,
  ])
    assert.equal(pastedTraceId(text), id, text)
  assert.equal(pastedTraceId('a3ce929d0e0e4736'), '0000000000000000a3ce929d0e0e4736')
})

test('other texts are not recognised as trace ids', () => {
  for (const text of [
    '',
    'cafe',
    'service=cart',
    'user.id=deadbeef42',
    id + '0',
    '0'.repeat(32),
    'payments',
    `${id} ${id}`,
  ])
    assert.equal(pastedTraceId(text), undefined, text)
})
