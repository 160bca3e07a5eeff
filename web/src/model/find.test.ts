import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findSpans, parseFind } from './find.ts'
import { decodeSpans } from './span-list.ts'

const list = decodeSpans({
  resourceSpans: [
    {
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: 'cart' } },
          { key: 'host.name', value: { stringValue: 'n1' } },
        ],
      },
      scopeSpans: [
        {
          spans: [
            {
              spanId: '00000000000000a1',
              name: 'GET /cart',
              kind: 2,
              attributes: [{ key: 'user.id', value: { stringValue: 'u 47' } }],
            },
            {
              spanId: '00000000000000a2',
              name: 'SELECT',
              status: { code: 2, message: 'deadlock' },
              events: [{ name: 'retry', attributes: [{ key: 'attempt', value: { intValue: '2' } }] }],
            },
          ],
        },
      ],
    },
  ],
})
const find = (text: string): string => [...(findSpans(list, text) ?? [])].join('')

test('words match everywhere, ignoring case', () => {
  assert.equal(find('select'), '01')
  assert.equal(find('CART'), '11')
  assert.equal(find('deadlock'), '01')
  assert.equal(find('retry'), '01')
  assert.equal(find('n1'), '11')
  assert.equal(find('00000000000000a1'), '10')
  assert.equal(find('nowhere'), '00')
})

test('key=value searches one attribute or field, and quotes keep spaces', () => {
  assert.equal(find('user.id="u 47"'), '10')
  assert.equal(find('user.id=u'), '10')
  assert.equal(find('status=error'), '01')
  assert.equal(find('kind=server'), '10')
  assert.equal(find('service=cart select'), '01')
  assert.equal(find('host.name=n2'), '00')
})

test('an empty text is not a search, and quotes keep spaces', () => {
  assert.equal(findSpans(list, '  '), undefined)
  assert.deepEqual(parseFind('a b="c d" "e f"'), [
    { key: '', text: 'a' },
    { key: 'b', text: 'c d' },
    { key: '', text: 'e f' },
  ])
})
