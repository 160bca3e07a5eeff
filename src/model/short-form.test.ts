import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attribute } from './attributes.ts'
import { compileTest } from './evaluate/evaluate.ts'
import { spanView } from './evaluate/span-view.ts'
import { parseAttribute } from './short-form.ts'
import type { SpanRow } from './span-row.ts'

const plain: SpanRow = {
  traceId: '1'.repeat(32),
  spanId: '1'.repeat(16),
  parentSpanId: '',
  traceState: '',
  flags: 0,
  name: 'GET',
  kind: 0,
  startTimeUnixNano: 1n,
  durationNano: 1n,
  attributes: [],
  droppedAttributesCount: 0,
  events: [],
  droppedEventsCount: 0,
  links: [],
  droppedLinksCount: 0,
  statusCode: 0,
  statusMessage: '',
  resource: '',
  scope: '',
}

const text = (key: string, value: string): Attribute => ({ key, value: { type: 'string', value } })

/** Whether a span with these attributes is found by the text. */
function finds(short: string, attributes: readonly Attribute[], more: Partial<SpanRow> = {}): boolean {
  return compileTest(parseAttribute(short)!)(spanView({ ...plain, attributes, ...more }))
}

test('a key or value with = in it is found without quotes wherever the key ends, and exactly with quotes', () => {
  for (const found of [text('a', 'b=c'), text('a=b', 'c')]) assert.ok(finds('a=b=c', [found]))
  assert.ok(finds('"a=b"=c', [text('a=b', 'c')]))
  assert.ok(!finds('"a=b"=c', [text('a', 'b=c')]))
  assert.ok(finds('"a\\"="=c', [text('a"=', 'c')]))
  assert.equal(parseAttribute('no value'), undefined)
  assert.equal(parseAttribute('=x'), undefined)
})

test('error=true finds spans by their status and by the attribute, and error=false all others', () => {
  const failed = { statusCode: 2 }
  assert.deepEqual([finds('error=true', [], failed), finds('error=false', [], failed)], [true, false])
  assert.deepEqual([finds('error=true', []), finds('error=false', [])], [false, true])
  const given: Attribute = { key: 'error', value: { type: 'bool', value: true } }
  assert.deepEqual([finds('error=true', [given]), finds('error=false', [given])], [true, false])
})

test('a scope before the key says where to look, and a key may begin like a scope', () => {
  const resource = '{"attributes":{"host":"h"}}'
  assert.ok(finds('resource.host=h', [], { resource }))
  assert.ok(!finds('span.host=h', [], { resource }))
  assert.ok(finds('span.kind=server', [text('span.kind', 'server')]))
})

test('an event, an array or a map is found by the text that it is shown as', () => {
  const events = [
    { timeUnixNano: 1n, name: 'exception', attributes: [text('exception.type', 'E')], droppedAttributesCount: 0 },
  ]
  assert.ok(finds('exception.type=E', [], { events }))
  const list: Attribute = {
    key: 'ids',
    value: {
      type: 'array',
      value: [
        { type: 'int', value: 7n },
        { type: 'string', value: 'a' },
      ],
    },
  }
  for (const short of ['ids=7', 'ids=a', 'ids=[7,"a"]', 'ids=[7, "a"]']) assert.ok(finds(short, [list]), short)
  for (const short of ['ids=8', 'ids=[7]', 'ids=']) assert.ok(!finds(short, [list]), short)
  const map: Attribute = {
    key: 'http',
    value: { type: 'map', value: [{ key: 'a', value: { type: 'map', value: [text('b', 'c')] } }] },
  }
  assert.ok(finds('http.a.b=c', [map]))
  assert.ok(finds('http={"a":{"b":"c"}}', [map]))
  assert.ok(!finds('http.a=c', [map]))
})
