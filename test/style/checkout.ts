/** The files that the style tests look at: everything git tracks or would add. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Paths from the root, with `/`, sorted. Files deleted but not yet committed are left out. */
export const paths: readonly string[] = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)))
  .sort()

export const isTest = (path: string): boolean => /\.test\.tsx?$/.test(path) || path.startsWith('test/')

/** Code in JavaScript or TypeScript, ours to shape. */
export const code: readonly string[] = paths.filter((path) => /\.(ts|tsx|mjs|js)$/.test(path))

export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

export function linesOf(path: string): string[] {
  const lines = read(path).split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}
