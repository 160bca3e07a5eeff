import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutRepeats } from './repeated-spans.ts'

/** Rows in the notation `id kind start length name`, separated by commas. */
function kept(text: string): string {
  const rows = text.split(', ').map((row) => {
    const [spanId = '', kind, start, length, name = ''] = row.split(' ')
    const [startTimeUnixNano, durationNano] = [BigInt(start!), BigInt(length!)]
    return { spanId, kind: Number(kind), startTimeUnixNano, durationNano, name, row }
  })
  return withoutRepeats(rows)
    .map(({ row }) => row)
    .join(', ')
}

test('rows that agree in id, kind, start and name are one span', () => {
  assert.equal(kept('a 1 5 9 get, b 2 6 1 set, b 2 6 1 set'), 'a 1 5 9 get, b 2 6 1 set')
})

test('rows that differ in one of them are two', () => {
  const rows = 'a 1 5 9 get, a 2 5 9 get, a 1 6 9 get, a 1 5 9 set'
  assert.equal(kept(rows), rows)
})

test('the longest copy is kept in its place, whichever comes first', () => {
  assert.equal(kept('a 1 5 0 get, x 1 6 1 y, a 1 5 9 get, a 1 5 3 get'), 'x 1 6 1 y, a 1 5 9 get')
  assert.equal(kept('x 1 5 9 a, x 2 5 1 a, x 2 5 3 a'), 'x 1 5 9 a, x 2 5 3 a')
})

test('rows without an id are never the same', () => {
  assert.equal(kept(' 1 5 9 get,  1 5 9 get'), ' 1 5 9 get,  1 5 9 get')
})
