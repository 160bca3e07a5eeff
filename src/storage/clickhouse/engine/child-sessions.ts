/**
 * Sessions in a child process, which is started again whenever it ends. When the engine crashes, or the kernel ends it
 * for its memory, only the engine's work is lost, not the server (docs/adr/0019-engine-in-a-child-process.md).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { UnavailableError, messageOf } from '../../../base/errors.ts'
import { printSize } from '../../../base/size.ts'
import { damagedPartOf, hasSources, putAside } from './damaged-part.ts'
import { EngineProcess, endedError, type EngineProcessOptions } from './engine-process.ts'
import { frameKinds, type Frame } from './frames.ts'
import type { EngineProcessState, RowStream, Sessions } from './sessions.ts'

export interface ChildSessionsOptions extends EngineProcessOptions {
  /** The process is ended when its memory that is not backed by files exceeds this. */
  readonly anonymousBytesMax: number
  /** Called when the process ended unexpectedly, and when it could not be started again. */
  readonly onProblem: (message: string, error: unknown) => void
}

/** Pauses before it is started again: after a long run, after repeated ends, and after failed starts. */
const pauseMinMs = 50
const pauseMaxMs = 1000
const failedPauseMaxMs = 30_000
/** After it ran this long, the next end counts as the first again. */
const steadyMs = 10_000
const memoryPeriodMs = 1000

/** How long a query waits for the engine to start without a damaged part. */
const putAsideMsMax = 10_000
/** How many damaged parts one query makes the engine start again for. */
const damagedPartsMax = 4

class DamagedPartError extends UnavailableError {
  constructor() {
    super('store_unavailable', 'a part of the store is damaged and is put aside', { retryAfterMs: 1000 })
  }
}

export class ChildSessions implements Sessions {
  readonly #options: ChildSessionsOptions
  #process: EngineProcess | undefined
  readonly #closing = new AbortController()
  readonly #memoryTimer: NodeJS.Timeout
  #starting: Promise<void> = Promise.resolve()
  #startedAtMs = Date.now()
  #pauseMs = pauseMinMs
  #restarts = 0
  #lastEnd: { why: string; atMs: number } | undefined
  /** Folders of merged parts that cannot be read; they are moved away before the next start. */
  readonly #damaged = new Set<string>()
  /** Damaged parts that cannot be moved away. The engine is not started again for them. */
  readonly #left = new Set<string>()
  /** Why this process was ended on purpose. */
  #killReason: string | undefined

  static async start(options: ChildSessionsOptions): Promise<ChildSessions> {
    return new ChildSessions(options, await EngineProcess.start(options))
  }

  private constructor(options: ChildSessionsOptions, first: EngineProcess) {
    this.#options = options
    this.#adopt(first)
    this.#memoryTimer = setInterval(() => this.#watchMemory(), memoryPeriodMs).unref()
  }

  #adopt(started: EngineProcess): void {
    this.#process = started
    this.#startedAtMs = Date.now()
    this.#killReason = undefined
    void started.ended.then((how) => this.#onEnd(how))
  }

  #onEnd(how: string): void {
    this.#process = undefined
    if (this.#closing.signal.aborted) return
    const why = this.#killReason ?? how
    this.#lastEnd = { why, atMs: Date.now() }
    if (Date.now() - this.#startedAtMs > steadyMs) this.#pauseMs = pauseMinMs
    this.#options.onProblem(`the engine's process ended and is started again: ${why}`, undefined)
    this.#starting = this.#startAgain()
  }

  async #startAgain(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      await sleep(this.#pauseMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      this.#putAside()
      try {
        const started = await EngineProcess.start(this.#options)
        this.#pauseMs = Math.min(this.#pauseMs * 2, pauseMaxMs)
        this.#restarts++
        this.#adopt(started)
        return
      } catch (error) {
        this.#pauseMs = Math.min(this.#pauseMs * 2, failedPauseMaxMs)
        this.#lastEnd = { why: messageOf(error), atMs: Date.now() }
        this.#options.onProblem("cannot start the engine's process again, trying on", error)
      }
    }
  }

  #putAside(): void {
    const { onProblem } = this.#options
    for (const folder of this.#damaged) {
      this.#damaged.delete(folder)
      try {
        putAside(folder)
        onProblem(`put a damaged part aside, what it was made of is read: ${folder}`, undefined)
      } catch (error) {
        this.#left.add(folder)
        onProblem(`cannot put a damaged part aside, questions that need it fail: ${folder}`, error)
      }
    }
  }

  /** Starts the engine again without a part that it cannot read. */
  #explain(error: unknown): unknown {
    // One of clew's own errors may quote the engine's.
    if (error instanceof UnavailableError) return error
    const folder = damagedPartOf(error, this.#options.dir)
    if (folder === undefined || this.#left.has(folder)) return error
    if (this.#damaged.has(folder)) return new DamagedPartError()
    if (!hasSources(folder)) {
      const message = `a part of the store is damaged, and what it was made of is gone: ${folder}`
      this.#options.onProblem(message, error)
      this.#left.add(folder)
      return error
    }
    this.#damaged.add(folder)
    this.restart(`it cannot read a part: ${messageOf(error).slice(0, 300)}`)
    return new DamagedPartError()
  }

  async #untilPutAside(): Promise<void> {
    const { signal } = this.#closing
    const lateMs = performance.now() + putAsideMsMax
    while ((this.#damaged.size > 0 || this.#process === undefined) && performance.now() < lateMs && !signal.aborted) {
      await sleep(pauseMinMs)
    }
  }

  #watchMemory(): void {
    const { anonymousBytesMax } = this.#options
    const { anonymousBytes = 0 } = this.#process?.memory() ?? {}
    if (anonymousBytes <= anonymousBytesMax) return
    this.restart(`it used ${printSize(anonymousBytes)} of memory, more than ${printSize(anonymousBytesMax)}`)
  }

  restart(reason: string): void {
    this.#killReason = reason
    this.#process?.kill()
  }

  async run(session: number, sql: string): Promise<string> {
    return textOf(await this.#ask((process) => process.request(frameKinds.run, session, sql)))
  }

  async runForBytes(session: number, sql: string): Promise<Uint8Array> {
    return (await this.#ask((process) => process.request(frameKinds.run, session, sql))).payload
  }

  /** Asks again without the damaged part; the parts that it was made of may be damaged too. */
  async #ask(request: (process: EngineProcess) => Promise<Frame>): Promise<Frame> {
    for (let damagedParts = 0; ; damagedParts++) {
      try {
        return await request(this.#running())
      } catch (error) {
        const explained = this.#explain(error)
        if (!(explained instanceof DamagedPartError) || damagedParts === damagedPartsMax) throw explained
        await this.#untilPutAside()
      }
    }
  }

  stream(session: number, sql: string): RowStream {
    // Once it has given rows, a stream belongs to the process that they came from.
    let begun: EngineProcess | undefined
    return {
      next: async () => {
        const reply = await (begun === undefined
          ? this.#ask((process) => {
              begun = process
              return process.request(frameKinds.stream, session, sql)
            })
          : begun.request(frameKinds.next, session, '').catch((error: unknown) => Promise.reject(this.#explain(error))))
        return reply.kind === frameKinds.end ? undefined : textOf(reply)
      },
      cancel: () => begun?.tell(frameKinds.cancel, session),
    }
  }

  #running(): EngineProcess {
    if (this.#process !== undefined) return this.#process
    if (this.#closing.signal.aborted) throw new UnavailableError('shutting_down', 'the store is closing')
    throw endedError(this.#lastEnd?.why ?? 'unknown')
  }

  process(): EngineProcessState {
    const memory = this.#process?.memory() ?? { rssBytes: 0, anonymousBytes: 0 }
    return { pid: this.#process?.pid, ...memory, restarts: this.#restarts, lastEnd: this.#lastEnd }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    clearInterval(this.#memoryTimer)
    await this.#starting
    await this.#process?.close()
  }
}

function textOf({ payload }: Frame): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString()
}
