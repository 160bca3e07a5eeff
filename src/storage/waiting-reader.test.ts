import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '../base/errors.ts'
import type { Reader } from '../model/reader.ts'
import { whenStored } from './waiting-reader.ts'

test('while the store is behind, no query reaches it', async () => {
  const behind = new UnavailableError('store_unavailable', 'the store is behind')
  // A store without methods: a query that reached it would end in a TypeError.
  const { abilities: _, ...questions } = whenStored({} as Reader, () => Promise.reject(behind))
  assert.equal(Object.keys(questions).length, 16)
  for (const ask of Object.values(questions) as ((...args: unknown[]) => Promise<unknown>)[]) {
    await assert.rejects(ask({}, {}, {}), behind)
  }
})
