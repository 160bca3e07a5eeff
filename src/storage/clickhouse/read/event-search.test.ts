import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { emptyStore, storeRows, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import { second } from '../../../../test/support/test-spans.ts'
import { searchEvents, type EventSearch } from './event-search.ts'

const engine = await temporaryEngine({ after })
beforeEach(() => emptyStore(engine))

const origin = 1_795_000_000n * second

function search(asked: Partial<EventSearch>) {
  const facts = { irregular: new Set<string>(), resource: new Set<string>() }
  return searchEvents(engine, { words: [], attributes: [], limit: 100, ...asked }, facts)
}

test('words of any script are found as they stand and in either case', async () => {
  const body = 'Ошибка ОПЛАТЫ, Ärger: GRÖSSE 支付失败了 foo_bar Card'
  await storeRows(engine, [], [{ timeNs: origin, service: 'web', body, resource: {} }])
  const asked = ['Ошибка', 'ошибка', 'оплаты', 'ÄRGER', 'größe', 'grösse', '支付', 'foo_bar', 'foo', 'card', 'car']
  const found: string[] = []
  for (const word of asked) if ((await search({ words: [word] })).total === 1) found.push(word)
  assert.deepEqual(found, ['Ошибка', 'ошибка', 'оплаты', 'ÄRGER', 'grösse', '支付', 'foo_bar', 'foo', 'card'])
})
