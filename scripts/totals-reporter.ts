/** A reporter for one test file run by node itself: writes one JSON line of `Totals` at the end. */
import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'
import { root } from './process.ts'
import { noTotals } from './totals.ts'

/** Longest text of one error; the whole of it stands where the file ran. */
const errorTextMax = 3_000

export default async function* totalsReporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const totals = noTotals()
  for await (const event of source) {
    if (event.type === 'test:summary') {
      const { counts } = event.data
      totals.passed = counts.passed
      // Cancelled tests (a timeout, a file that died) are neither passed nor skipped: they failed.
      totals.failed = counts.tests - counts.passed - counts.skipped - counts.todo
    }
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { name, file, skip, todo } = event.data
    const place = `${file === undefined ? '' : `${relative(root, file)}: `}${name}`
    const reason = skip ?? todo
    if (reason !== undefined)
      totals.skipped.push(`${place}${typeof reason === 'string' && reason !== '' ? ` (${reason})` : ''}`)
    else if (event.type === 'test:fail') {
      totals.failures.push(`${place}\n${inspect(event.data.details.error.cause).slice(0, errorTextMax)}`)
    }
  }
  yield `${JSON.stringify(totals)}\n`
}
