/** One process of the engine, from its start to its end: requests, their replies, and how it ended. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { UnavailableError, type UnavailableCode } from '../../../base/errors.ts'
import { FrameReader, encodeHeader, frameKinds, type FailurePayload, type Frame, type FrameKind } from './frames.ts'
import type { SessionsOptions } from './sessions.ts'

export interface EngineProcessOptions extends SessionsOptions {
  /** What the engine prints, a line at a time. */
  readonly onLine: (line: string) => void
}

/** Each session has a thread of the pool while it works; the rest is for files and the like. */
const spareThreads = 4
const lineCharactersMax = 4096
/** A store of some ten thousand parts opens in seconds. */
const openTimeoutMs = 300_000
const closeTimeoutMs = 60_000
const pingPeriodMs = 5000
/** A query that is read row by row is planned on the main thread of the process, which may take a while. */
const pingTimeoutMs = 60_000

interface Waiting {
  readonly resolve: (frame: Frame) => void
  readonly reject: (error: Error) => void
}

export class EngineProcess {
  readonly pid: number
  /** Resolves with how it ended: `exit code 1`, `SIGKILL`. */
  readonly ended: Promise<string>
  readonly #child: ChildProcess
  readonly #socket: Duplex
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  #endedWhy: string | undefined

  /** Rejects with `UnavailableError` when the process cannot be started, or cannot open the folder. */
  static async start(options: EngineProcessOptions): Promise<EngineProcess> {
    const { dir, sessionArguments } = options
    const started = new EngineProcess(options)
    const timer = setTimeout(() => started.kill(), openTimeoutMs)
    try {
      await started.request(frameKinds.open, 0, JSON.stringify({ dir, sessionArguments }))
      started.#watch()
      return started
    } catch (error) {
      started.kill()
      await started.ended
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  private constructor({ sessionArguments, onLine }: EngineProcessOptions) {
    const entry = path.join(import.meta.dirname, `process-main${path.extname(import.meta.filename)}`)
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry], {
      env: { ...process.env, UV_THREADPOOL_SIZE: String(sessionArguments.length + spareThreads) },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    this.pid = child.pid ?? 0
    this.#socket = child.stdio[3] as Duplex
    for (const output of [child.stdout!, child.stderr!]) readLines(output, onLine)
    const reader = new FrameReader((frame) => this.#settle(frame))
    this.#socket.on('data', (piece: Buffer) => reader.push(piece))
    // Only the end of the process matters.
    this.#socket.on('error', () => {})
    this.ended = this.#whenEnded()
  }

  async #whenEnded(): Promise<string> {
    const why = await once(this.#child, 'exit').then(
      ([code, signal]) => (signal as string | null) ?? `exit code ${String(code)}`,
      (error: Error) => error.message,
    )
    this.#endedWhy = why
    this.#socket.destroy()
    for (const { reject } of this.#waiting.values()) reject(endedError(why))
    this.#waiting.clear()
    return why
  }

  #settle(frame: Frame): void {
    const waiting = this.#waiting.get(frame.id)
    this.#waiting.delete(frame.id)
    if (frame.kind === frameKinds.failure) waiting?.reject(failureOf(frame))
    else waiting?.resolve(frame)
  }

  /** Rejects when the engine fails, and with `UnavailableError` when the process ends before it replied. */
  request(kind: FrameKind, session: number, text: string): Promise<Frame> {
    if (this.#endedWhy !== undefined) return Promise.reject(endedError(this.#endedWhy))
    return new Promise((resolve, reject) => {
      this.#waiting.set(this.#send(kind, session, text), { resolve, reject })
    })
  }

  /** Sends a request that has no reply. */
  tell(kind: FrameKind, session: number): void {
    if (this.#endedWhy === undefined) this.#send(kind, session, '')
  }

  #send(kind: FrameKind, session: number, text: string): number {
    const id = (this.#lastId = (this.#lastId + 1) % 2 ** 32)
    const payload = Buffer.from(text)
    this.#socket.cork()
    this.#socket.write(encodeHeader({ kind, session, id, payload }))
    if (payload.length > 0) this.#socket.write(payload)
    this.#socket.uncork()
    return id
  }

  /** Ends the process when it does not respond within a minute. */
  #watch(): void {
    const period = setInterval(() => {
      const timer = setTimeout(() => this.kill(), pingTimeoutMs).unref()
      this.request(frameKinds.ping, 0, '')
        .catch(() => {})
        .finally(() => clearTimeout(timer))
    }, pingPeriodMs).unref()
    void this.ended.then(() => clearInterval(period))
  }

  memory(): { rssBytes: number; anonymousBytes: number } {
    try {
      const status = fs.readFileSync(`/proc/${this.pid}/status`, 'utf8')
      const bytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * 1024
      return { rssBytes: bytes('VmRSS'), anonymousBytes: bytes('RssAnon') }
    } catch {
      return { rssBytes: 0, anonymousBytes: 0 }
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** Waits until the engine has closed the folder and the process has ended. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.kill(), closeTimeoutMs)
    await this.request(frameKinds.close, 0, '').catch(() => {})
    this.#socket.end()
    await this.ended
    clearTimeout(timer)
  }
}

function readLines(output: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = ''
  output.setEncoding('utf8')
  output.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!.slice(0, lineCharactersMax)
    for (const line of lines) if (line.trim() !== '') onLine(line.slice(0, lineCharactersMax))
  })
}

/** The error for callers of an engine that ended or is down. */
export function endedError(why: string): UnavailableError {
  const message = `the engine's process ended (${why}) and starts again`
  return new UnavailableError('store_unavailable', message, { retryAfterMs: 1000 })
}

function failureOf({ payload }: Frame): Error {
  const {
    message,
    clickhouseCode,
    code,
    canRetry = true,
  } = JSON.parse(Buffer.from(payload).toString()) as FailurePayload
  if (code !== undefined) return new UnavailableError(code as UnavailableCode, message, { canRetry })
  return Object.assign(new Error(message), { clickhouseCode })
}
