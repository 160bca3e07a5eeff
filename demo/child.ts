/**
 * A process of the demo. It has a session of its own, so that Ctrl-C reaches only the demo, which then stops its children
 * in order; and a pipe to its stdin, whose end tells it to go when the demo dies without a word.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ChildOptions {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  /** Answers 200 once the process is ready. */
  readonly readyUrl: string
  readonly readyTimeoutMs: number
  /** After SIGTERM, SIGKILL follows this much later. */
  readonly stopTimeoutMs: number
  /** Called when the process ends without having been asked to. */
  readonly onDied: (child: Child, reason: string) => void
}

const outputCharsMax = 4_000
const readyPollMs = 100

export class Child {
  readonly name: string
  readonly #options: ChildOptions
  #process: ChildProcess | null = null
  #exited: Promise<void> = Promise.resolve()
  #isStopping = false
  #isReady = false
  /** Why the process ended, to follow "it". */
  #end = ''
  #output = ''

  constructor(options: ChildOptions) {
    this.name = options.name
    this.#options = options
  }

  /** The end of what the process has written, for the message when it dies. */
  get output(): string {
    return this.#output
  }

  /** Starts the process and waits until it is ready; throws when it ends or takes too long. May be called again later. */
  async start(): Promise<void> {
    const { readyUrl, readyTimeoutMs } = this.#options
    this.#isStopping = false
    this.#isReady = false
    this.#spawn()
    const deadline = Date.now() + readyTimeoutMs
    while (!(await isUp(readyUrl))) {
      if (this.#process === null) throw this.#startError(this.#end)
      if (Date.now() > deadline) {
        await this.stop()
        throw this.#startError(`was not ready after ${readyTimeoutMs} ms`)
      }
      await sleep(readyPollMs)
    }
    // Something answered, but it may be another program on the same port, and ours the one that failed on it.
    if (this.#process === null) throw this.#startError(this.#end)
    this.#isReady = true
  }

  #spawn(): void {
    const [program, ...args] = this.#options.command
    const env = { ...process.env, ...this.#options.env }
    const started = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    this.#process = started
    this.#output = ''
    for (const stream of [started.stdout, started.stderr]) {
      stream
        .setEncoding('utf8')
        .on('data', (text: string) => (this.#output = (this.#output + text).slice(-outputCharsMax)))
    }
    this.#exited = new Promise((resolve) => {
      const end = (reason: string) => {
        this.#process = null
        this.#end = reason
        resolve()
        if (this.#isReady && !this.#isStopping) this.#options.onDied(this, reason)
      }
      started.once('error', (error) => end(error.message))
      started.once('exit', (code, signal) =>
        end(signal === null ? `ended with code ${code}` : `was ended by ${signal}`),
      )
    })
  }

  #startError(reason: string): Error {
    return new Error(`cannot start ${this.name}: it ${reason}\n${this.#output.trimEnd()}`)
  }

  /** Asks the process to stop and waits for it; does nothing when it does not run. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const running = this.#process
    if (running === null) return
    running.kill('SIGTERM')
    const kill = setTimeout(() => running.kill('SIGKILL'), this.#options.stopTimeoutMs)
    await this.#exited
    clearTimeout(kill)
  }
}

async function isUp(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
