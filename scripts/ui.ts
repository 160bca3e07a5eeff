/** Builds the web UI into web/dist when that is missing or older than what it is made from. */
import { existsSync, globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root, runProgram, tool } from './process.ts'

const sources = [
  'web/index.html',
  'web/*.{ts,json}',
  'web/src/**/*',
  'src/api/native/{contract.ts,contract/*.ts}',
  'src/base/name-slots.ts',
  'package-lock.json',
]

function uiIsCurrent(): boolean {
  const built = join(root, 'web/dist/index.html')
  if (!existsSync(built)) return false
  const builtAt = statSync(built).mtimeMs
  return globSync(sources, { cwd: root }).every((path) => statSync(join(root, path)).mtimeMs <= builtAt)
}

/** Answers the exit code of the build. */
export async function buildUi(): Promise<number> {
  process.stderr.write('clew: building the web UI\n')
  const { code, output } = await runProgram(tool('vite'), ['build', 'web', '--logLevel', 'warn'], { show: false })
  if (code !== 0) process.stderr.write(`${output}\ncannot build the web UI: vite ended with code ${code}\n`)
  return code
}

if (import.meta.main && !uiIsCurrent()) process.exitCode = await buildUi()
