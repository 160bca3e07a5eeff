/** Runs the real program as a child process: one command to its end, or `clew serve` until it is told to stop. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { statusAnswer } from '../../src/api/native/contract/status.ts'
import { flagOf, type OptionRow } from '../../src/base/option.ts'
import { optionSections } from '../../src/config/config.ts'

const main = join(import.meta.dirname, '../../src/main.ts')

export interface RunResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** Beside PATH and a home of its own; nothing else of the surroundings is passed on. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly stdin?: string | Uint8Array
  readonly timeoutMs?: number
  /** A command that runs the program: it and its arguments. */
  readonly under?: readonly string[]
}

const folders: string[] = []
process.on('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

/** A folder that is removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'clew-test-'))
  folders.push(folder)
  return folder
}

const home = temporaryFolder()

export function startClew(args: readonly string[], options: RunOptions = {}): ChildProcess {
  const [command, ...rest] = [...(options.under ?? []), process.execPath, main, ...args]
  return spawn(command!, rest, {
    cwd: options.cwd ?? home,
    env: { PATH: process.env.PATH, HOME: home, TZ: 'UTC', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

/** Runs a command to its end. */
export async function runClew(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const child = startClew(args, options)
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000)
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  child.stdin?.on('error', () => {}) // a command that reads no input may be gone before it is written
  child.stdin?.end(options.stdin)
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  return { code, signal, ...output }
}

export interface ServedClew {
  readonly child: ChildProcess
  /** The web UI and API. */
  readonly url: string
  readonly otlpUrl: string
  /** Port of a listener by its name in the status: `forward`, `syslog/udp`, … */
  port(name: string): number
  readonly dataDir: string
  /** All of stderr so far. */
  stderr(): string
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Flags that put every listener on a port that is free, but for the options named. */
export function freePortsExcept(...names: readonly string[]): string[] {
  return optionSections
    .flatMap((section): readonly OptionRow[] => section.options)
    .filter((option) => option.type === 'port' && !names.includes(option.name))
    .flatMap((option) => [flagOf(option.name), '0'])
}

/** Flags that put every listener on a port that is free. */
export const freePorts: readonly string[] = freePortsExcept()

/** Starts `clew serve` on free ports and waits until it says it is ready. */
export async function serveClew(
  dataDir = temporaryFolder(),
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<ServedClew> {
  const child = startClew(['serve', '--data', dataDir, ...freePorts, ...args], options)
  const output = { stdout: '', stderr: '' }
  child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const ready = new Promise<string>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output.stdout += chunk.toString()
      const match = /clew is ready: (\S+)\n/.exec(output.stdout)
      if (match?.[1] !== undefined) resolve(match[1])
    })
  })
  const url = await Promise.race([ready, ended.then(([code]) => `ended with ${code}: ${output.stderr}`)])
  if (!url.startsWith('http')) throw new Error(`clew serve ${url}`)
  const status = statusAnswer.parse(await (await fetch(`${url}/api/v1/status`)).json())
  const otlp = status.listeners.find(({ accepts }) => accepts === 'otlp-http')
  return {
    child,
    url,
    dataDir,
    otlpUrl: `http://127.0.0.1:${otlp?.port}`,
    port(name) {
      const found = status.listeners.find((listener) => listener.name === name)
      if (found === undefined)
        throw new Error(`no listener ${name} among ${status.listeners.map((each) => each.name).join()}`)
      return found.port
    },
    stderr: () => output.stderr,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      const [code, endSignal] = await ended
      return { code, signal: endSignal }
    },
  }
}
