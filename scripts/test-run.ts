/**
 * Runs test files with node:test, each in a process of its own, and answers what came of them.
 *
 * Not by `node --test FILES`: that waits forever for a file that leaves something open, whatever its time limit.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Outcome, root, runProgram } from './process.ts'
import { addTotals, noTotals, type Totals } from './totals.ts'

/** Of a file that did not speak of its tests, this much of the end of its output is said again. */
export const outputTailMax = 3_000

export interface TestRun {
  readonly files: readonly string[]
  /** Files run at the same time. With one at a time, output is shown as it comes. */
  readonly concurrency: number
  /** Longest time for one file; one that hangs is killed and has failed. */
  readonly timeoutMs: number
  /** Given a file's output once it has ended: all of it, or what a failed file wrote. */
  readonly show: 'all' | 'failed'
  readonly print: (text: string) => void
  /** Files that are run once more when they fail: they drive clients and browsers whose timing is not ours. */
  readonly again?: (file: string) => boolean
}

export async function runTests(run: TestRun): Promise<Totals> {
  const totals = noTotals()
  const waiting = [...run.files]
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift())
      addTotals(totals, await runWithAgain(file, run))
  }
  await Promise.all(Array.from({ length: run.concurrency }, work))
  return totals
}

/** Of a file whose process crashed nothing is known of its tests, so it is run once more, whatever it tests. */
async function runWithAgain(file: string, run: TestRun): Promise<Totals> {
  const first = await runFile(file, run)
  if (first.failed === 0 || !(first.isCrashed || run.again?.(file) === true)) return first
  const word = first.isCrashed ? 'crashed' : 'failed'
  const notice = `${file} ${word} and is run once more; a file that needs this often has a fault`
  run.print(`! ${notice}\n`)
  const second = await runFile(file, run)
  return { ...second, failures: [notice, ...first.failures, ...second.failures] }
}

interface FileTotals extends Totals {
  /** Its process was ended by a signal that is not ours, so it said nothing of its tests. */
  readonly isCrashed: boolean
}

async function runFile(file: string, { timeoutMs, concurrency, show, print }: TestRun): Promise<FileTotals> {
  const folder = mkdtempSync(join(tmpdir(), 'clew-test-'))
  const totalsPath = join(folder, 'totals.json')
  const isLive = show === 'all' && concurrency === 1
  if (isLive) print(`\n${file}\n`)
  try {
    const outcome = await runProgram(process.execPath, [...reporters(totalsPath), file], { show: isLive, timeoutMs })
    const totals = { ...readTotals(totalsPath, outcome), isCrashed: outcome.signal !== null && !outcome.isTimedOut }
    const failed = totals.failed > 0
    if (!isLive && (failed || show === 'all')) print(`\n${file}\n${outcome.output.trimEnd()}\n`)
    if (!failed || (totals.failures.length > 0 && !outcome.isTimedOut)) return totals
    const end = outcome.isTimedOut
      ? `was killed: it had not ended after ${timeoutMs / 1000} s`
      : `ended with ${outcome.signal ?? outcome.code} and without a word on its tests`
    print(`✖ ${file} ${end}\n`)
    totals.failures.push(`${file} ${end}\n${outcome.output.slice(-outputTailMax)}`)
    return totals
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const reporters = (totalsPath: string): string[] => [
  '--test-reporter=spec',
  '--test-reporter-destination=stdout',
  `--test-reporter=${root}scripts/totals-reporter.ts`,
  `--test-reporter-destination=${totalsPath}`,
]

/** The runner's own counts; a file that died, hung, or failed beyond them is one more failure. */
function readTotals(path: string, outcome: Outcome): Totals {
  try {
    const totals = JSON.parse(readFileSync(path, 'utf8')) as Totals
    if (outcome.code !== 0 && totals.failed === 0) totals.failed = 1
    return totals
  } catch {
    return { ...noTotals(), failed: 1 }
  }
}
