/** A Python with packages of PyPI, for tests with real clients in Python; kept in .cache, so that a second run is quick. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const cache = join(import.meta.dirname, '../../.cache')
const installTimeoutMs = 300_000

/** Path of the interpreter, or why there is none on this machine: the reason to skip a test with. */
export function pythonWith(
  requirements: readonly string[],
): { readonly python: string } | { readonly missing: string } {
  const hash = createHash('sha256').update(requirements.join(' ')).digest('hex').slice(0, 12)
  const folder = join(cache, `test-python-${hash}`)
  const python = join(folder, 'bin/python')
  const installed = join(folder, '.installed')
  if (existsSync(installed)) return { python }
  if (spawnSync('python3', ['-c', 'import venv, ensurepip']).status !== 0) return { missing: 'no python3 with venv' }
  mkdirSync(cache, { recursive: true })
  process.stderr.write(`installing ${requirements.join(', ')} for Python into ${folder}\n`)
  run('python3', ['-m', 'venv', '--clear', folder])
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements])
  writeFileSync(installed, '')
  return { python }
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: installTimeoutMs })
  if (status !== 0) throw new Error(`cannot run ${command} ${args.join(' ')}: ${stderr}`)
}
