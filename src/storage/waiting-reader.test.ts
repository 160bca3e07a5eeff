import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '../base/errors.ts'
import type { Reader } from '../model/reader.ts'
import { whenStored } from './waiting-reader.ts'

test('while the store is behind, no question reaches it', async () => {
  const behind = new UnavailableError('store_unavailable', 'the store is behind')
  // A store without methods: a question that reached it would end in a TypeError.
  const waiting = whenStored({} as Reader, () => Promise.reject(behind))
  const questions = Object.entries(waiting).filter(([name]) => name !== 'abilities' && name !== 'readBlocks')
  assert.equal(questions.length, 16)
  for (const [, ask] of questions as [string, (...args: unknown[]) => Promise<unknown>][]) {
    await assert.rejects(ask({}, {}, {}), behind)
  }
  const blocks = waiting.readBlocks({ signals: ['spans'] })[Symbol.asyncIterator]()
  await assert.rejects(blocks.next(), behind)
})
