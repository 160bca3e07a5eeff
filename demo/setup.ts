/** Installs what the shop's services need, where that is missing, and says so. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = import.meta.dirname
const venv = join(folder, '../.cache/demo-python')

export type Say = (line: string) => void

/** Packages of the JavaScript services, as their lock file has them; throws when npm cannot install them. */
export async function setUpJavaScript(say: Say, signal: AbortSignal): Promise<void> {
  const marker = join(folder, 'js/node_modules/.installed-lock')
  const lock = fingerprint(join(folder, 'js/package-lock.json'))
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lock) return
  say('installing the OpenTelemetry SDK for JavaScript')
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: join(folder, 'js'), signal })
  writeFileSync(marker, lock)
}

/**
 * A virtual environment with the packages of the Python services. Answers its Python, or null, having said why, when
 * this machine cannot have one: the shop then goes on without those services.
 */
export async function setUpPython(say: Say, signal: AbortSignal): Promise<string | null> {
  const requirements = join(folder, 'python/requirements.txt')
  const marker = join(venv, '.installed-requirements')
  const python = join(venv, 'bin/python')
  const wanted = fingerprint(requirements)
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return python
  try {
    await run('python3', ['-c', 'import venv, ensurepip'], { signal })
    say('installing the OpenTelemetry SDK for Python into .cache/demo-python')
    await run('python3', ['-m', 'venv', '--clear', venv], { signal })
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements], {
      signal,
    })
    writeFileSync(marker, wanted)
    return python
  } catch (error) {
    signal.throwIfAborted()
    say(`no Python services: ${(error as Error).message}`)
    say('on Debian and Ubuntu, `apt install python3 python3-venv` gives what they need; going on in JavaScript')
    return null
  }
}

const fingerprint = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

/** Runs a program to its end; throws with the last line it wrote when it fails. */
function run(command: string, args: readonly string[], options: { cwd?: string; signal: AbortSignal }): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    }
    const fail = (cause: string) => reject(new Error(`cannot run ${command} ${args[0]} ${args[1] ?? ''}: ${cause}`))
    child.on('error', (error) => fail(error.message))
    child.on('close', (code) => (code === 0 ? resolve() : fail(output.trim().split('\n').at(-1) || `code ${code}`)))
  })
}
