/** How many tests passed, failed and did not run, over several runs. */
export interface Totals {
  passed: number
  failed: number
  /** One line for each test that did not run: file, name, reason. A skip is loud, and a failure in CI. */
  skipped: string[]
  /** What is said again at the end, where it is looked for: file, name and error of each failure. */
  failures: string[]
}

export const noTotals = (): Totals => ({ passed: 0, failed: 0, skipped: [], failures: [] })

export function addTotals(into: Totals, more: Totals): void {
  into.passed += more.passed
  into.failed += more.failed
  into.skipped.push(...more.skipped)
  into.failures.push(...more.failures)
}

/** Prints the closing lines, the last one always `N passed, N failed`, and answers the exit code. */
export function reportTotals(totals: Totals, options: { ci: boolean }): number {
  for (const failure of totals.failures) console.log(`failed: ${failure}`)
  for (const line of totals.skipped) console.log(`skipped: ${line}`)
  if (totals.skipped.length > 0) {
    console.log(`${totals.skipped.length} skipped${options.ci ? ', counted as failed because CI is set' : ''}`)
  }
  const failed = totals.failed + (options.ci ? totals.skipped.length : 0)
  console.log(`${totals.passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}
