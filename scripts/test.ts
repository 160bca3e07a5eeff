/**
 * All tests: `npm test`, or `npm test -- PART…` for the files whose path contains one of the parts.
 * Ends with the line `N passed, N failed` over all of them.
 */
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { ensureNeeds } from './needs.ts'
import { root, runProgram } from './process.ts'
import { outputTailMax, runTests } from './test-run.ts'
import { addTotals, noTotals, reportTotals, type Totals } from './totals.ts'

interface Suite {
  readonly name: string
  readonly globs: readonly string[]
  readonly concurrency: number
  readonly timeoutMs: number
  readonly again?: (file: string) => boolean
}

export const unitGlobs = ['{src,scripts,demo,bench}/**/*.test.ts', 'web/src/**/*.test.ts']

/** Whole-program tests take ports, cores and the engine for themselves, so they run one file after the other. */
const suites: readonly Suite[] = [
  { name: 'unit', globs: unitGlobs, concurrency: 2, timeoutMs: 120_000 },
  { name: 'style', globs: ['test/style/**/*.test.ts'], concurrency: 2, timeoutMs: 120_000 },
  {
    name: 'whole program',
    globs: ['test/!(style)/**/*.test.ts'],
    concurrency: 1,
    timeoutMs: 300_000,
    again: isDriving,
  },
]

/** Never the tests of faults: one failure in ten of these is a fault of clew. */
function isDriving(file: string): boolean {
  return /^test\/(apps|browser|scenarios)\//.test(file)
}

/** Tests of the Python package, with the standard library's runner. */
const pythonFolder = 'helpers/python/tests'

async function main(parts: readonly string[]): Promise<number> {
  const totals = noTotals()
  const print = (text: string) => void process.stdout.write(text)
  const chosen = (path: string) => parts.length === 0 || parts.some((part) => path.includes(part))
  for (const { name, globs, ...limits } of suites) {
    const files = testFiles(globs).filter(chosen)
    if (files.length > 0) console.log(`\n== ${name}: ${files.length} files`)
    addTotals(totals, await runTests({ files, ...limits, show: 'all', print }))
  }
  if (existsSync(join(root, pythonFolder)) && chosen(pythonFolder)) addTotals(totals, await pythonTests())
  if (totals.passed + totals.failed + totals.skipped.length === 0) {
    console.log(parts.length === 0 ? 'no tests found' : `no test file has ${parts.join(' or ')} in its path`)
    totals.failed = 1
  }
  return reportTotals(totals, { ci: process.env.CI === 'true' })
}

export function testFiles(globs: readonly string[]): string[] {
  return globSync(globs, { cwd: root, exclude: ['**/node_modules/**', '**/dist/**'] }).sort()
}

async function pythonTests(): Promise<Totals> {
  console.log(`\n== python: ${pythonFolder}`)
  const { code, output } = await runProgram('python3', ['-m', 'unittest', 'discover', '-v', '-s', pythonFolder], {
    show: false,
    timeoutMs: 300_000,
  })
  process.stdout.write(output)
  if (code === 127) return { ...noTotals(), skipped: [`${pythonFolder} (no python3)`] }
  return parseUnittest(output, code)
}

/** unittest ends with `Ran 5 tests in 0.1s` and `OK (skipped=1)` or `FAILED (failures=1, errors=2)`. */
function parseUnittest(output: string, code: number): Totals {
  const count = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0)
  const failed = count(/failures=(\d+)/) + count(/errors=(\d+)/)
  const skipped = output.split('\n').filter((line) => /\.\.\. skipped/.test(line))
  const ran = count(/^Ran (\d+) tests? in/m)
  const isLost = code !== 0 && failed === 0
  const failures = failed > 0 || isLost ? [`${pythonFolder}\n${output.slice(-outputTailMax)}`] : []
  return { passed: Math.max(0, ran - failed - skipped.length), failed: failed + (isLost ? 1 : 0), skipped, failures }
}

if (import.meta.main) {
  ensureNeeds()
  process.exitCode = await main(process.argv.slice(2))
}
