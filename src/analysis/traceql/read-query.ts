/**
 * Reads a query from outside: returns the tree, or throws one error that shows every problem.
 *
 *     readQuery('{ status = error }')     the tree
 *     readQuery('{ status == error }')    throws: `==` is not an operator: `=` compares, with the place marked
 */
import { InputError } from '../../base/errors.ts'
import { check } from './check.ts'
import { parse } from './parser.ts'
import { showProblem } from './problem.ts'
import type { Query } from './syntax.ts'

/** The maximum number of problems in one message. */
const shownMax = 5

/** Throws `InputError` `bad_request`, whose `at` is the first character of the first problem. */
export function readQuery(text: string): Query {
  const { ast, errors } = parse(text)
  const problems = ast === undefined ? errors : check(ast)
  if (ast !== undefined && problems.length === 0) return ast
  const shown = problems.slice(0, shownMax).map((problem) => showProblem(text, problem))
  throw new InputError('bad_request', `cannot read the query: ${shown.join('\n')}`, {
    at: `character ${problems[0]!.place.start}`,
  })
}
