/** Takes the pictures of the docs again: the browser test of them, told to write into docs/images. */
import { join } from 'node:path'
import { root, runProgram } from './process.ts'

process.env.CLEW_SCREENSHOTS = join(root, 'docs/images')
const { code } = await runProgram(process.execPath, ['test/browser/screenshots.test.ts'], {
  show: true,
  timeoutMs: 300_000,
})
process.exitCode = code
