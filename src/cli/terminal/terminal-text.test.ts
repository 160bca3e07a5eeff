import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clean, fit, padEnd, padStart } from './terminal-text.ts'

test('characters that control a terminal or reorder text are shown as their code', () => {
  assert.equal(clean('a\u001b[2Jb\u0007\u009b1m\u202e\r'), 'a\\u001b[2Jb\\u0007\\u009b1m\\u202e\\u000d')
  assert.equal(clean('two\nlines\tand Größe 例'), 'two⏎lines and Größe 例')
})

test('text is cut and padded by the columns it fills, not by its length', () => {
  assert.deepEqual(
    [fit('abcdef', 6), fit('abcdef', 5), fit('abcdef', 1), fit('abcdef', 0)],
    ['abcdef', 'abcd…', '…', ''],
  )
  assert.deepEqual([fit('例例例', 6), fit('例例例', 5), fit('例例例', 4)], ['例例例', '例例…', '例…'])
  assert.deepEqual([padEnd('例', 4), padStart('例', 4), padEnd('long', 2)], ['例  ', '  例', 'long'])
})
