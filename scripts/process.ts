/** Runs programs of the tool chain from the checkout's root. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

export interface Outcome {
  /** 127 when the program does not start, 128 when a signal ended it. */
  readonly code: number
  /** What ended it, if a signal did. */
  readonly signal: NodeJS.Signals | null
  /** stdout and stderr in the order they came; empty when shown directly. */
  readonly output: string
  readonly isTimedOut: boolean
}

export interface RunOptions {
  /** Output goes to this terminal as it comes, instead of into the outcome. */
  readonly show: boolean
  /** When over, the program and what it started are killed. */
  readonly timeoutMs?: number
}

/** What a program leaves running may hold its output open; this long after its end we no longer listen. */
const outputWaitMs = 500

/** Each leads a process group of its own, which Ctrl-C does not reach. */
const running = new Set<ChildProcess>()
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => {
    for (const child of running) killGroup(child)
    process.exit(code)
  })
}

/** A tool installed with the dependencies. */
export function tool(name: string): string {
  return `${root}node_modules/.bin/${name}`
}

export function runProgram(command: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    const output = options.show ? 'inherit' : 'pipe'
    // Set by node:test for its own children: one that is run within a test is not.
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', output, output], detached: true })
    running.add(child)
    let text = ''
    let isTimedOut = false
    child.stdout?.setEncoding('utf8').on('data', (more: string) => (text += more))
    child.stderr?.setEncoding('utf8').on('data', (more: string) => (text += more))
    const timeout = setTimeout(
      () => {
        isTimedOut = true
        killGroup(child)
      },
      options.timeoutMs ?? 2 ** 31 - 1,
    )
    const end = (code: number, signal: NodeJS.Signals | null = null) => {
      clearTimeout(timeout)
      running.delete(child)
      resolve({ code, signal, output: text, isTimedOut })
    }
    child.once('error', (error) => {
      text += `cannot start ${command}: ${error.message}`
      end(127)
    })
    child.once('close', (code, signal) => end(code ?? 128, signal))
    child.once('exit', (code, signal) => {
      killGroup(child)
      setTimeout(() => end(code ?? 128, signal), outputWaitMs).unref()
    })
  })
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nothing of the group is left.
  }
}
