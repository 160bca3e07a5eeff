import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError, UnavailableError, inputCodes, unavailableCodes } from '../../src/base/errors.ts'
import { failureOf, grpcStatus } from '../../src/base/failure.ts'
import { read } from './checkout.ts'

/** `invalidArgument` -> `INVALID_ARGUMENT`. */
const grpcNames = new Map<number, string>(
  Object.entries(grpcStatus).map(([name, code]) => [code, name.replace(/[A-Z]/g, '_$&').toUpperCase()]),
)

/** Code, HTTP and gRPC status of each row of a section's table. */
function tableOf(section: string): string[][] {
  const [, text = ''] = read('docs/errors.md').split(`## ${section}\n`)
  const rows = text.split('\n## ')[0]!.matchAll(/^\| `(\w+)` \| (\d+) \| (\w+) \| (.+?) \| (.+?) \|$/gm)
  return [...rows].map(([, code = '', http = '', grpc = '']) => [code, http, grpc])
}

function statusesOf(code: string, error: Error): string[] {
  const failure = failureOf(error)
  return [code, String(failure.httpStatus), grpcNames.get(failure.grpcStatus)!]
}

test('docs/errors.md has every code of bad input with its statuses', () => {
  const expected = inputCodes.map((code) => statusesOf(code, new InputError(code, 'x')))
  assert.deepEqual(tableOf('What came from outside is wrong'), expected)
})

test('docs/errors.md has every code of the world with its statuses', () => {
  const expected = unavailableCodes.map((code) => statusesOf(code, new UnavailableError(code, 'x')))
  const byCode = (a: string[], b: string[]): number => (a[0]! < b[0]! ? -1 : 1)
  assert.deepEqual(tableOf('The world is not ready').sort(byCode), expected.sort(byCode))
})
