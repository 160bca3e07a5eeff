import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLinks, printLinks } from './span-lists.ts'

test('a link without ids is stored with empty ones and keeps its attributes', () => {
  const attributes = '{"messaging.message.id":"m-17"}'
  const bare = { traceState: '', attributes, droppedAttributesCount: 0, flags: 0 }
  const text = printLinks([{ traceId: new Uint8Array(16), spanId: new Uint8Array(8), ...bare }])
  assert.equal(text, `[{"traceId":"","spanId":"","attributes":${attributes}}]`)
  const [link] = parseLinks(text)
  assert.deepEqual([link!.traceId, link!.spanId], ['', ''])
  assert.deepEqual(link!.attributes, [{ key: 'messaging.message.id', value: { type: 'string', value: 'm-17' } }])
})
