/** What the published package holds: the web UI in web/dist, the program as JavaScript in dist. */
import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, runProgram, tool } from './process.ts'
import { buildUi } from './ui.ts'

async function build(): Promise<number> {
  const ui = await buildUi()
  if (ui !== 0) return ui
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  process.stderr.write('clew: compiling src to dist\n')
  const { code } = await runProgram(tool('tsc'), ['-p', 'tsconfig.build.json'], { show: true })
  if (code === 0) chmodSync(join(root, 'dist/main.js'), 0o755)
  return code
}

process.exitCode = await build()
