import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { temporaryEngine } from '../../../test/support/temporary-store.ts'

const engine = await temporaryEngine({ after })

test('a query over a limit says which option it is', async () => {
  const large = 'SELECT length(groupArray(number)) FROM numbers(100000000)'
  await assert.rejects(engine.query(large, { settings: { max_memory_usage: 10_000_000 } }), {
    code: 'store_unavailable',
    message: 'cannot run query: it needs more memory than query.memory; narrow the question, or raise that',
  })
  const long = 'SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) = 1'
  await assert.rejects(engine.query(long, { settings: { max_execution_time: 1 } }), {
    code: 'timeout',
    message: 'cannot run query: it takes longer than query.timeout; narrow the question, or raise that',
  })
})
