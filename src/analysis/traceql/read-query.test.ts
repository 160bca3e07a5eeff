import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError } from '../../base/errors.ts'
import { print } from './print.ts'
import { readQuery } from './read-query.ts'

test('a query is read, or the error shows each problem', () => {
  assert.equal(print(readQuery('{status=error}')), '{ status = error }')
  assert.throws(
    () => readQuery('{ a.b == 1 }'),
    (error) => {
      assert.ok(error instanceof InputError)
      assert.equal(error.code, 'bad_request')
      assert.equal(error.at, 'character 2')
      assert.match(
        error.message,
        /^cannot read the query: `a\.` is not a scope.*\n {2}\{ a\.b == 1 \}\n {4}\^\^\^\n`==` is not/,
      )
      return true
    },
  )
  assert.throws(() => readQuery('{ duration > "1s" }'), /different types/)
})
