/**
 * Follows files. One round: look at the files that may have changed, cut a piece of each file that has new content,
 * make the pieces durable as pending, append them to the log, continue after them. When the log is full the round
 * waits: the files keep what was not read yet.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { UnavailableError, messageOf } from '../../base/errors.ts'
import { tail } from '../../codec/tail/tail.ts'
import type { Log, Position } from '../../model/log.ts'
import type { Intake } from '../intake.ts'
import type { TailFigures } from '../observer.ts'
import { FileSet } from './file-set.ts'
import { FolderWatch } from './folder-watch.ts'
import { PositionFile } from './position-file.ts'
import type { TailSource } from './tail-source.ts'
import type { Cut, TailedFile } from './tailed-file.ts'

export interface TailerOptions {
  readonly sources: readonly TailSource[]
  /** Folder of the positions. */
  readonly dir: string
  readonly intake: Intake
  /** The log that the intake appends to. */
  readonly log: Log
  readonly logger: Logger
  readonly host: string
  readonly sync?: boolean
  /** Files are checked this often even when the system reports no change. */
  readonly pollMs?: number
  /** Globs are read this often even when the system reports no new file. */
  readonly findMs?: number
  readonly joinWaitMs?: number
  /** A rotated file that did not grow for this long is at its end. */
  readonly rotatedWaitMs?: number
  /** A file whose bytes all equal another's is read as a separate file when neither changed for this long. */
  readonly copyWaitMs?: number
  readonly filesMax?: number
}

export const tailFilesMax = 2000
const roundBytesMax = 4 << 20
const roundCutsMax = 64
const retryMs = 1000
const retryMsMax = 5000
/** Changes come in bursts. */
const settleMs = 20

export class Tailer {
  readonly #options: Required<TailerOptions>
  readonly #positions: PositionFile
  readonly #files: FileSet
  readonly #watch: FolderWatch
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #bytes = 0
  #notUtf8 = 0

  private constructor(options: Required<TailerOptions>, positions: PositionFile) {
    this.#options = options
    this.#positions = positions
    this.#files = new FileSet(options, positions.states)
    this.#watch = new FolderWatch()
  }

  /** Opens the positions, settles what was pending, and begins to follow. Throws `UnavailableError`. */
  static async start(given: TailerOptions): Promise<Tailer> {
    const options = {
      sync: true,
      pollMs: 2000,
      findMs: 10_000,
      joinWaitMs: 1000,
      rotatedWaitMs: 30_000,
      copyWaitMs: 10_000,
      filesMax: tailFilesMax,
      ...given,
    }
    const { positions, damagedLines } = await PositionFile.open(join(options.dir, 'positions'), options.sync)
    if (damagedLines > 1) options.logger.warn({ damagedLines }, 'left out unreadable positions of tailed files')
    const tailer = new Tailer(options, positions)
    tailer.#running = tailer.#run()
    return tailer
  }

  tailFigures(): TailFigures {
    const { size, truncations, lost, skipped } = this.#files
    const unreadable = this.#files.unreadable()
    const [first] = unreadable
    return {
      followed: size,
      bytes: this.#bytes,
      notUtf8: this.#notUtf8,
      truncations,
      lost,
      skipped,
      unreadable: unreadable.length,
      problem: first && `${first.place}: ${first.cause}`,
    }
  }

  /** Finishes the current piece, saves the positions and closes the files. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#watch.close()
    await this.#running
    await this.#files.close()
    await this.#positions.close()
  }

  async #run(): Promise<void> {
    let isRestored = false
    let isSettled = false
    while (!this.#stop.signal.aborted) {
      try {
        if (!isRestored) await this.#files.restore()
        isRestored = true
        if (!isSettled) await this.#settle()
        isSettled = true
        if (await this.#round()) continue
        await this.#writePositions()
        this.#watch.setFolders(this.#files.folders())
        await this.#wait()
      } catch (error) {
        if (this.#stop.signal.aborted) break
        isSettled = false
        this.#options.logger.error({ err: error }, 'cannot follow files now, trying again')
        await this.#sleep(retryMs)
      }
    }
    await this.#writePositions().catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'cannot keep the positions of tailed files')
    })
  }

  /**
   * Pieces whose append was unfinished when the process ended or the disk failed. The log is searched for them, because
   * the time in which it recognises a repetition may be over. Those it does not have are offered again, with the same
   * bytes.
   */
  async #settle(): Promise<void> {
    const files = this.#files.all().filter((file) => file.pending !== undefined)
    const found = await this.#findInLog(files)
    for (const file of files) {
      const { hash, to } = file.pending!
      const body = await file.recut()
      if (found.has(hash)) file.confirm()
      else if (body === undefined) {
        const { path, offset } = file
        this.#files.lost++
        this.#options.logger.warn({ path, from: offset, to }, 'a file changed before a piece of it was stored')
        file.pending = undefined
      } else if (await this.#take(body)) file.confirm()
      else return
      this.#files.keep(file)
    }
  }

  /** Hashes of those pending pieces that are in the log. */
  async #findInLog(files: readonly TailedFile[]): Promise<Set<string>> {
    const wanted = new Map(files.map(({ pending }) => [pending!.hash.slice(0, 32), pending!.hash]))
    const found = new Set<string>()
    if (files.length === 0) return found
    const from = Math.min(...files.map(({ pending }) => pending!.after)) as Position
    for await (const record of this.#options.log.read(from)) {
      const hash = record.codec === tail.name ? wanted.get(record.hash) : undefined
      if (hash !== undefined) found.add(hash)
      if (found.size === wanted.size || this.#stop.signal.aborted) break
    }
    return found
  }

  /** True when there is more to read immediately. */
  async #round(): Promise<boolean> {
    const { joinWaitMs, host, intake, log } = this.#options
    const limits = { host, joinWaitMs, bodyBytesMax: intake.bodyBytesMax }
    const cuts: { file: TailedFile; cut: Cut }[] = []
    let bytes = 0
    let hasMore = false
    const after = log.stats().nextPosition
    for (const file of await this.#files.changed(this.#watch.take())) {
      const cut = await this.#files.cut(file, limits)
      if (cut === undefined) continue
      if (this.#stop.signal.aborted) return false
      file.prepare(cut, after)
      cuts.push({ file, cut })
      bytes += cut.bytes
      hasMore ||= file.offset + cut.bytes < file.size
      if (bytes >= roundBytesMax || cuts.length >= roundCutsMax) {
        this.#files.lookAgain()
        hasMore = true
        break
      }
    }
    if (cuts.length === 0) return false
    for (const { file } of cuts) this.#files.keep(file)
    await this.#writePositions()
    await Promise.all(cuts.map((each) => this.#store(each.file, each.cut)))
    return hasMore
  }

  async #store(file: TailedFile, cut: Cut): Promise<void> {
    if (!(await this.#take(cut.body))) return
    file.confirm()
    this.#files.keep(file)
    this.#bytes += cut.bytes
    if (cut.isText) return
    this.#notUtf8++
    if (!file.warnedOfText)
      this.#options.logger.warn(
        { path: file.path },
        'a tailed file holds bytes that are not UTF-8; U+FFFD stands for them',
      )
    file.warnedOfText = true
  }

  /** False when the process stops before the log has room. */
  async #take(body: Buffer): Promise<boolean> {
    for (;;) {
      try {
        await this.#options.intake.take({ protocol: 'tail', codec: tail, body })
        return true
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
        if (this.#stop.signal.aborted || error.code === 'shutting_down') return false
        await this.#sleep(Math.min(retryMsMax, error.retryAfterMs || retryMs))
        if (this.#stop.signal.aborted) return false
      }
    }
  }

  async #writePositions(): Promise<void> {
    const { kept, gone } = this.#files.unwritten()
    if (kept.length + gone.length === 0) return
    try {
      await this.#positions.write(
        kept.map((file) => file.state),
        gone,
      )
      this.#files.written(kept, gone)
    } catch (error) {
      throw new UnavailableError('io_failed', `cannot keep the positions of tailed files: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  async #wait(): Promise<void> {
    const { pollMs, joinWaitMs } = this.#options
    const waitMs = this.#files.hasRest() ? Math.min(pollMs, joinWaitMs) : pollMs
    await this.#watch.wait(waitMs, this.#stop.signal)
    await this.#sleep(settleMs)
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {})
  }
}
