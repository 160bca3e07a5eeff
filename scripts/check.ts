/**
 * The fast loop, `npm run check`: everything that can be known without starting the program, in under a minute.
 * `npm run check -- PART…` runs the steps whose name contains one of the parts.
 */
import { runProgram, tool } from './process.ts'
import { runTests } from './test-run.ts'
import { testFiles, unitGlobs } from './test.ts'

interface Step {
  readonly name: string
  readonly run: () => Promise<{ readonly ok: boolean; readonly output: string }>
}

const steps: readonly Step[] = [
  { name: 'types', run: program('tsc', '-p', '.') },
  { name: 'types of the web UI', run: program('tsc', '-p', 'web') },
  { name: 'lint', run: program('oxlint', '--type-aware', '--deny-warnings') },
  { name: 'format', run: program('oxfmt', '--check') },
  { name: 'style tests', run: tests(['test/style/**/*.test.ts']) },
  { name: 'unit tests', run: tests(unitGlobs) },
]

function program(name: string, ...args: string[]): Step['run'] {
  return async () => {
    const { code, output } = await runProgram(tool(name), args, { show: false })
    return { ok: code === 0, output }
  }
}

function tests(globs: readonly string[]): Step['run'] {
  return async () => {
    const files = testFiles(globs)
    // Properties that ask the store are tried less often here (test/support/property-runs.ts).
    process.env.CLEW_FAST_LOOP = '1'
    let output = ''
    const print = (text: string) => void (output += text)
    const totals = await runTests({ files, concurrency: 3, timeoutMs: 60_000, show: 'failed', print })
    return { ok: totals.failed === 0 && totals.passed > 0, output }
  }
}

/** Runs every step, the later ones too when one fails, and shows the output of those that fail. */
async function main(parts: readonly string[]): Promise<number> {
  const chosen = steps.filter(({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)))
  if (chosen.length === 0) {
    console.log(
      `no step has ${parts.join(' or ')} in its name; the steps are ${steps.map(({ name }) => name).join(', ')}`,
    )
    return 1
  }
  let failed = 0
  for (const { name, run } of chosen) {
    const startedAt = performance.now()
    const { ok, output } = await run()
    if (!ok) process.stdout.write(`\n${output.trimEnd()}\n`)
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
    if (!ok) failed += 1
  }
  console.log(failed === 0 ? 'check: all well' : `check: ${failed} of ${chosen.length} steps failed`)
  return failed === 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
