import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { code, isTest, linesOf, root } from './checkout.ts'
import { assertNoFaults, type Fault } from './faults.ts'

const sourceLinesMax = 400
const testLinesMax = 800

test('files are short enough to read', () => {
  const faults: Fault[] = []
  for (const path of code) {
    const max = isTest(path) ? testLinesMax : sourceLinesMax
    const lines = linesOf(path).length
    if (lines > max) faults.push({ path, message: `${lines} lines, at most ${max}` })
  }
  assertNoFaults('file-length', faults)
})

interface Diagnostic {
  readonly message: string
  readonly filename: string
  readonly labels: readonly { readonly span: { readonly line: number } }[]
}

/** Functions over 70 lines without blank lines and comments, as the linter counts them. */
function longFunctions(): Fault[] {
  const linter = join(root, 'node_modules/.bin/oxlint')
  const config = 'test/style/function-length.oxlintrc.json'
  const { stdout } = spawnSync(linter, ['-c', config, '-f', 'json'], { cwd: root, encoding: 'utf8' })
  const answer = JSON.parse(stdout) as { diagnostics: Diagnostic[]; number_of_files: number }
  assert.ok(answer.number_of_files > 0, 'the linter saw no files')
  return answer.diagnostics.map(({ filename, message, labels }) => ({
    path: filename,
    message: `line ${labels[0]?.span.line}: ${message}`,
  }))
}

test('functions are short enough to read', () => {
  assertNoFaults('function-length', longFunctions())
})
