import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRowWarnings, printRowWarnings } from './row-warnings.ts'

test('printed warnings are parsed again, also after other text', () => {
  for (const warnings of [
    { beforeRetention: 12, ahead: 3, repaired: 1 },
    { beforeRetention: 0, ahead: 0, repaired: 7 },
    { beforeRetention: 5, ahead: 0, repaired: 0 },
  ]) {
    const text = printRowWarnings(warnings, { beforeRetention: 'look at the clock', repaired: 'a key; 3 rows' })
    assert.deepEqual(parseRowWarnings(text), warnings)
    assert.deepEqual(parseRowWarnings(`spans[0]: trace_id is all zero; ${text}`), warnings)
  }
  const none = { beforeRetention: 0, ahead: 0, repaired: 0 }
  assert.equal(printRowWarnings(none), '')
  assert.deepEqual(parseRowWarnings('12 rows were dropped'), none)
})
