/**
 * Which files are followed: found by globs, recognised after a restart, followed through rotation.
 *
 * - renamed: the inode has another name; its rest is read through the open file, and a new file appears at the old name
 * - copied and truncated: the bytes before the last read position are gone; reading goes on in the copy that has them,
 *   and the file itself starts again
 * - replaced by its own copy: reading goes on in the copy
 * - deleted: read to its end through the open file
 */
import { dirname, matchesGlob } from 'node:path'
import type { Logger } from 'pino'
import { messageOf } from '../../base/errors.ts'
import { findBeside, findByGlobs, folderOf, isPacked, matches, statFile, type FoundFile } from './file-finder.ts'
import { isReplacement, isSuccessor, mayBeCopy, surelyAlikeBytes } from './file-copy.ts'
import type { FileState } from './position-file.ts'
import type { TailSource } from './tail-source.ts'
import { newState, TailedFile, type Cut, type CutLimits } from './tailed-file.ts'

export interface FileSetOptions {
  readonly sources: readonly TailSource[]
  readonly logger: Logger
  readonly pollMs: number
  readonly findMs: number
  readonly rotatedWaitMs: number
  readonly copyWaitMs: number
  readonly filesMax: number
}

/** A file that did not grow for this long is closed. It is opened again when it grows. */
const openIdleMs = 5 * 60_000
/** Globs are not read more often than this, however many new files the system reports. */
const findPauseMs = 200

export class FileSet {
  truncations = 0
  lost = 0
  readonly #options: FileSetOptions
  readonly #saved: ReadonlyMap<string, FileState>
  readonly #files = new Map<string, TailedFile>()
  readonly #kept = new Set<TailedFile>()
  readonly #gone = new Set<string>()
  /** Files beyond the limit, and where reading each begins once there is room. */
  readonly #skipped = new Map<string, number>()
  /** Folders of globs that this process may not read, and why. */
  #shut = new Map<string, string>()
  #isRestored = false
  #mustFind = true
  #foundAtMs = -Infinity
  #lookedAtMs = -Infinity
  #turn = 0

  constructor(options: FileSetOptions, saved: ReadonlyMap<string, FileState>) {
    this.#options = options
    this.#saved = saved
  }

  get size(): number {
    return this.#files.size
  }

  get skipped(): number {
    return this.#skipped.size
  }

  /** Files with new content, and folders, that cannot be read now: where, and why. */
  unreadable(): { place: string; cause: string }[] {
    const files = this.all().flatMap(({ place, problem }) => (problem === undefined ? [] : { place, cause: problem }))
    return [...files, ...[...this.#shut].map(([place, cause]) => ({ place, cause }))]
  }

  all(): TailedFile[] {
    return [...this.#files.values()]
  }

  hasRest(): boolean {
    return this.#mustFind || this.all().some((file) => file.hasRest || file.isRotated || file.copyOf !== undefined)
  }

  folders(): Set<string> {
    const folders = new Set(this.all().map((file) => dirname(file.place)))
    for (const source of this.#options.sources) for (const path of source.paths) folders.add(folderOf(path))
    return folders
  }

  /** The file's state changed and must be written. */
  keep(file: TailedFile): void {
    this.#kept.add(file)
  }

  unwritten(): { kept: TailedFile[]; gone: string[] } {
    // A position that was not reached yet would be mistaken for the place to continue at.
    const isLive = (file: TailedFile): boolean => this.#files.get(file.key) === file && file.skipsTo === undefined
    return { kept: [...this.#kept].filter(isLive), gone: [...this.#gone].filter((key) => !this.#files.has(key)) }
  }

  written(kept: readonly TailedFile[], gone: readonly string[]): void {
    for (const file of kept) this.#kept.delete(file)
    for (const key of gone) this.#gone.delete(key)
  }

  /** After a start: finds the files of the saved positions, wherever they are now, and new files of the globs. */
  async restore(): Promise<void> {
    const unclaimed = new Map(this.#saved)
    const fresh = new Map<string, { found: FoundFile; source: TailSource }>()
    for (const { found, source } of await this.#findAll()) {
      const state = unclaimed.get(found.key)
      if (state !== undefined && (await matches(found, state))) {
        unclaimed.delete(found.key)
        this.#add(source, state, found)
      } else fresh.set(found.key, { found, source })
    }
    for (const state of unclaimed.values()) {
      this.#gone.add(state.key)
      const source = this.#sourceOf(state.path)
      // Its source was removed from the configuration.
      if (source === undefined) continue
      const found = await this.#findAgain(state)
      if (found === undefined) this.#lose(state.path)
      else {
        this.#continueIn(found, state, source)
        fresh.delete(found.key)
      }
    }
    for (const { found, source } of fresh.values()) this.#begin(found, source)
    this.#mustFind = false
    this.#isRestored = true
    this.#foundAtMs = Date.now()
  }

  /** Files that may have new content: those at the given paths, and from time to time all of them. */
  async changed(paths: ReadonlySet<string>): Promise<TailedFile[]> {
    const nowMs = Date.now()
    const places = new Set(this.all().map((file) => file.place))
    for (const path of paths) if (!places.has(path)) await this.#beginAt(path)
    const sinceMs = nowMs - this.#foundAtMs
    if (sinceMs >= this.#options.findMs || (this.#mustFind && sinceMs >= findPauseMs)) await this.#find()
    const isFull = nowMs - this.#lookedAtMs >= this.#options.pollMs
    if (isFull) this.#lookedAtMs = nowMs
    const chosen = this.all().filter((file) => isFull || file.hasRest || file.isRotated || paths.has(file.place))
    for (const file of chosen) await this.#look(file)
    // Each round begins with another file, so that a busy file does not keep the others waiting.
    const turn = chosen.length === 0 ? 0 : this.#turn++ % chosen.length
    return [...chosen.slice(turn), ...chosen.slice(0, turn)].filter((file) => this.#files.get(file.key) === file)
  }

  /** The next round looks at every file. */
  lookAgain(): void {
    this.#lookedAtMs = -Infinity
  }

  /**
   * The next piece of the file, if there is one. A rewritten file starts again; a rotated file at its end is dropped.
   */
  async cut(file: TailedFile, limits: CutLimits): Promise<Cut | undefined> {
    const nowMs = Date.now()
    const isEnd = file.isRotated && nowMs - Math.max(file.grewAtMs, file.rotatedAtMs) >= this.#options.rotatedWaitMs
    try {
      if (file.skipsTo !== undefined) {
        await file.skip(file.skipsTo)
        this.keep(file)
      }
      if (file.isUnread && !file.isOwn && file.size > 0 && (await this.#isCopy(file))) return undefined
      const cut = await file.cut(limits, nowMs, isEnd)
      if (cut === 'broken') await this.#beginAnew(file)
      else if (cut === undefined && isEnd) await this.#forget(file)
      file.problem = undefined
      return cut === 'broken' ? undefined : cut
    } catch (error) {
      await this.#noteUnreadable(file, error)
      return undefined
    }
  }

  /** Missing permission, or a failing disk; every later round tries again. */
  async #noteUnreadable(file: TailedFile, error: unknown): Promise<void> {
    const cause = messageOf(error)
    // Just removed or replaced: the next round finds out.
    if ((await statFile(file.place))?.key !== file.key) return
    if (file.problem !== cause)
      this.#options.logger.warn({ path: file.place, cause }, 'cannot read a tailed file now, trying again')
    file.problem = cause
  }

  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close()
  }

  #add(source: TailSource, state: FileState, found: FoundFile): TailedFile {
    const nowMs = Date.now()
    const file = new TailedFile(source, state, nowMs)
    file.place = found.path
    file.note(found.size, found.changedAtMs, nowMs)
    file.isRotated = this.#sourceOf(found.path) === undefined
    file.rotatedAtMs = nowMs
    this.#files.set(file.key, file)
    this.keep(file)
    return file
  }

  async #findAll(): Promise<{ found: FoundFile; source: TailSource }[]> {
    const all = new Map<string, { found: FoundFile; source: TailSource }>()
    const shut = new Map<string, string>()
    for (const source of this.#options.sources) {
      const files = await findByGlobs(source, (path, cause) => shut.set(path, cause))
      for (const found of files) if (!all.has(found.key)) all.set(found.key, { found, source })
    }
    for (const [path, cause] of shut)
      if (!this.#shut.has(path))
        this.#options.logger.warn({ path, cause }, 'cannot look for files to tail, trying again')
    this.#shut = shut
    return [...all.values()]
  }

  async #find(): Promise<void> {
    this.#foundAtMs = Date.now()
    this.#mustFind = false
    const all = await this.#findAll()
    const keys = new Set(all.map(({ found }) => found.key))
    for (const key of this.#skipped.keys()) if (!keys.has(key)) this.#skipped.delete(key)
    for (const { found, source } of all) {
      const file = this.#files.get(found.key)
      if (file === undefined) this.#begin(found, source)
      else if (file.place !== found.path && (await statFile(file.place))?.key !== file.key) {
        // Renamed to another name that is tailed.
        file.place = found.path
        file.isRotated = false
      }
    }
  }

  /** Begins the file at a path that the system reported, if it is a new file of a glob. */
  async #beginAt(path: string): Promise<void> {
    const source = this.#sourceOf(path)
    const found = source === undefined ? undefined : await statFile(path)
    if (source === undefined || found === undefined || isPacked(path)) return
    if (this.#files.has(found.key)) this.#mustFind = true
    else this.#begin(found, source)
  }

  #begin(found: FoundFile, source: TailSource): void {
    const { filesMax, logger } = this.#options
    // A file that appears while clew runs is entirely new; `end` is for files that existed before.
    const isOld = source.startAt === 'end' && !this.#isRestored
    const from = this.#skipped.get(found.key) ?? (isOld ? found.size : 0)
    if (this.#files.size >= filesMax) {
      if (this.#skipped.size === 0)
        logger.warn({ path: found.path, filesMax }, 'too many files to tail; further ones are left out')
      this.#skipped.set(found.key, from)
      return
    }
    this.#skipped.delete(found.key)
    const file = this.#add(source, newState(found), found)
    if (from > 0) file.skipsTo = from
  }

  /** Whether an unread file must wait because it may be a copy of a followed one, as rotation by copying makes them. */
  async #isCopy(file: TailedFile): Promise<boolean> {
    const nowMs = Date.now()
    if (nowMs - file.grewAtMs < this.#options.copyWaitMs) {
      const found = foundOf(file)
      const first = await file.firstBytes()
      for (const original of this.all()) {
        if (original.isUnread || original === file || dirname(original.place) !== dirname(file.place)) continue
        // Most files begin differently; for those the other file need not be read.
        const isAlike = await original.beginsLike(first).catch(() => false)
        if (!isAlike || !(await mayBeCopy(found, original).catch(() => false))) continue
        file.copyOf = original
        return true
      }
    }
    file.copyOf = undefined
    file.isOwn = true
    return false
  }

  /**
   * The original of some copies was truncated or is gone: the copies continue where reading of the original stopped.
   */
  async #releaseCopies(original: TailedFile, isTruncated: boolean): Promise<void> {
    const { state } = original
    for (const file of this.all()) {
      if (file.copyOf !== original) continue
      file.copyOf = undefined
      const isSure = isTruncated || file.size >= surelyAlikeBytes
      if (isSure && (await matches(foundOf(file), state))) file.adopt(state)
      // A copy that ends before that place was made earlier: all of it was read.
      else if (isSure) await file.skipTo(file.size)
      else file.isOwn = true
      this.keep(file)
    }
  }

  async #look(file: TailedFile): Promise<void> {
    const nowMs = Date.now()
    if (!file.isRotated) {
      const found = await statFile(file.place)
      if (found?.key === file.key) {
        file.note(found.size, found.changedAtMs, nowMs)
        if (file.isOpen && nowMs - file.grewAtMs > openIdleMs) await file.close()
        return
      }
      file.isRotated = true
      file.rotatedAtMs = nowMs
      this.#mustFind = true
      // Before this file is rotated too.
      if (found !== undefined && (await this.#replace(file, found))) return
      if (!file.isOpen)
        file.place = (await findBeside(file.place)).find(({ key }) => key === file.key)?.path ?? file.place
    }
    try {
      await file.look(nowMs)
    } catch (error) {
      if (file.size > file.offset) this.#lose(file.path, messageOf(error))
      await this.#forget(file)
    }
  }

  /**
   * Begins the file that took another's name. True when it is the same file; then it continues at that file's position.
   */
  async #replace(file: TailedFile, found: FoundFile): Promise<boolean> {
    await this.#beginAt(found.path)
    const fresh = this.#files.get(found.key)
    if (fresh === undefined || !fresh.isUnread || !(await isReplacement(found, file).catch(() => false))) return false
    fresh.adopt(file.state)
    this.keep(fresh)
    await this.#forget(file)
    return true
  }

  /** The file that has what was read of this one: the same inode, or the same bytes (a copy, a restored folder). */
  async #findAgain(state: FileState): Promise<FoundFile | undefined> {
    const beside = (await findBeside(state.path)).filter(({ key }) => this.#files.get(key)?.isUnread ?? true)
    for (const found of beside) if (found.key === state.key && (await matches(found, state))) return found
    for (const found of beside) if (found.key !== state.key && (await isSuccessor(found, state))) return found
    return undefined
  }

  #continueIn(found: FoundFile, state: FileState, source: TailSource): void {
    const file = this.#files.get(found.key)
    if (file === undefined) this.#add(source, { ...state, key: found.key }, found)
    else {
      file.copyOf = undefined
      file.adopt(state)
      file.pending = state.pending
      this.keep(file)
    }
  }

  async #beginAnew(file: TailedFile): Promise<void> {
    this.truncations++
    await this.#releaseCopies(file, true)
    // A copy that matches no glob is also read once.
    const isReleased = this.all().some((other) => other !== file && other.file === file.file)
    const copy = isReleased ? undefined : await this.#findAgain(file.state)
    if (copy !== undefined) this.#continueIn(copy, file.state, file.source)
    file.restart()
    this.keep(file)
    this.lookAgain()
  }

  async #forget(file: TailedFile): Promise<void> {
    this.#files.delete(file.key)
    this.#gone.add(file.key)
    await this.#releaseCopies(file, false)
    await file.close()
  }

  #lose(path: string, cause = 'it is gone'): void {
    this.lost++
    this.#options.logger.warn({ path, cause }, 'cannot read the rest of a tailed file')
  }

  #sourceOf(path: string): TailSource | undefined {
    const isUnder = (globs: readonly string[]): boolean => globs.some((pattern) => matchesGlob(path, pattern))
    return this.#options.sources.find((source) => isUnder(source.paths) && !isUnder(source.exclude))
  }
}

function foundOf(file: TailedFile): FoundFile {
  return { path: file.place, key: file.key, size: file.size, changedAtMs: 0 }
}
