/**
 * How far each file was read, kept over restarts: an append-only file of states. The last state of a file counts.
 *
 *   file  = { line }
 *   line  = JSON TAB crc LF        crc = CRC-32 of the JSON's bytes, 8 hex digits; lines without the right crc are left out
 *   JSON  = FileState | { "gone": key }
 *
 * Before a piece goes to the log, the file's state with that piece as `pending` is made durable. After a crash the log is
 * searched for it; if it is not there, exactly that piece is appended.
 */
import { mkdir, open, readFile, rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncFolder } from '../../base/disk.ts'
import { UnavailableError, messageOf } from '../../base/errors.ts'
import type { Print } from './fingerprint.ts'

export interface FileState {
  /** Device and inode, `device:inode`. */
  readonly key: string
  /** Random name of this file's content, see codec/tail/tail-body.ts. */
  readonly file: string
  /** Its path when it was first found. */
  readonly path: string
  readonly offset: number
  readonly head: Print
  readonly last: Print
  /** When it was last read, milliseconds since the epoch. */
  readonly atMs: number
  readonly pending?: PendingCut
}

/** A piece [offset, to) whose append may or may not have happened. */
export interface PendingCut {
  readonly to: number
  /** The body's header as text. */
  readonly header: string
  /** SHA-1 of the body, hex. */
  readonly hash: string
  /** Fingerprint of the bytes right before `to`. */
  readonly last: Print
  /** When it was read, milliseconds since the epoch. */
  readonly atMs: number
  /** If the log contains the body, then at this position or later. */
  readonly after: number
}

/** When the file is larger than this, and than four times the live data, it is rewritten. */
const compactBytes = 1 << 20

export class PositionFile {
  readonly states = new Map<string, FileState>()
  readonly #path: string
  readonly #sync: boolean
  #handle: FileHandle
  #bytes = 0
  #liveBytes = 0
  #isTorn = false

  private constructor(path: string, sync: boolean, handle: FileHandle) {
    this.#path = path
    this.#sync = sync
    this.#handle = handle
  }

  /**
   * Throws `UnavailableError` when the file cannot be opened. Unreadable lines are left out; the result has their
   * number.
   */
  static async open(path: string, sync: boolean): Promise<{ positions: PositionFile; damagedLines: number }> {
    try {
      await mkdir(dirname(path), { recursive: true })
      const handle = await open(path, 'a')
      const positions = new PositionFile(path, sync, handle)
      const damagedLines = positions.#load(await readFile(path, 'utf8'))
      // The rewritten file is small, and it starts on a new line whatever a crash left.
      await positions.#compact()
      return { positions, damagedLines }
    } catch (error) {
      throw new UnavailableError(
        'io_failed',
        `cannot open the positions of tailed files ${path}: ${messageOf(error)}`,
        { cause: error },
      )
    }
  }

  /** Durable when it resolves. Throws the system's errors; may be called again with the same states. */
  async write(states: readonly FileState[], gone: readonly string[] = []): Promise<void> {
    for (const state of states) this.states.set(state.key, state)
    for (const key of gone) this.states.delete(key)
    const text = [...states.map(printLine), ...gone.map((key) => printLine({ gone: key }))].join('')
    if (text === '') return
    // After a write that failed half-way, the next one starts on a new line.
    await this.#handle.appendFile(this.#isTorn ? `\n${text}` : text).catch((error: unknown) => {
      this.#isTorn = true
      throw error
    })
    this.#isTorn = false
    if (this.#sync) await this.#handle.datasync()
    this.#bytes += text.length
    if (this.#bytes > compactBytes && this.#bytes > 4 * this.#liveBytes) await this.#compact()
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  #load(text: string): number {
    let damaged = 0
    for (const line of text.split('\n')) {
      if (line === '') continue
      const entry = parseLine(line)
      if (entry === undefined) damaged++
      else if ('gone' in entry) this.states.delete(entry.gone)
      else this.states.set(entry.key, entry)
    }
    return damaged
  }

  async #compact(): Promise<void> {
    const text = [...this.states.values()].map(printLine).join('')
    const temporary = `${this.#path}.new`
    const handle = await open(temporary, 'w')
    await handle.writeFile(text)
    if (this.#sync) await handle.sync()
    await rename(temporary, this.#path)
    if (this.#sync) await syncFolder(dirname(this.#path))
    await this.#handle.close()
    this.#handle = handle
    this.#bytes = this.#liveBytes = text.length
  }
}

function printLine(entry: FileState | { gone: string }): string {
  const json = JSON.stringify(entry)
  return `${json}\t${crc32(json).toString(16).padStart(8, '0')}\n`
}

function parseLine(line: string): FileState | { gone: string } | undefined {
  const tab = line.lastIndexOf('\t')
  const json = line.slice(0, Math.max(0, tab))
  if (tab < 0 || crc32(json).toString(16).padStart(8, '0') !== line.slice(tab + 1)) return undefined
  return JSON.parse(json) as FileState | { gone: string }
}
