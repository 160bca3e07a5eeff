/**
 * Which files are followed: found by globs, known again after a restart, followed through rotation.
 *
 * - renamed: the inode has another name; its rest is read through the open file, and a new file appears at the old name
 * - copied and truncated: the bytes before the place last read are no longer there; the copy beside it that has them is
 *   read on, the file itself starts again
 * - replaced by its own copy: read on in the copy
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

/** A file that did not grow for this long is closed; it is opened again when it does. */
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
  /** Files beyond the limit, and where each is to be begun once there is room. */
  readonly #skipped = new Map<string, number>()
  /** Folders of globs that this process may not look into, and why. */
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

  /** Files that hold something new, and folders, which cannot be read now: where, and why. */
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

  /** The file's state changed and is to be written. */
  keep(file: TailedFile): void {
    this.#kept.add(file)
  }

  unwritten(): { kept: TailedFile[]; gone: string[] } {
    // A position that was not reached yet would be taken for the place to go on at.
    const isLive = (file: TailedFile): boolean => this.#files.get(file.key) === file && file.skipsTo === undefined
    return { kept: [...this.#kept].filter(isLive), gone: [...this.#gone].filter((key) => !this.#files.has(key)) }
  }

  written(kept: readonly TailedFile[], gone: readonly string[]): void {
    for (const file of kept) this.#kept.delete(file)
    for (const key of gone) this.#gone.delete(key)
  }

  /** After a start: finds the files of the positions again, wherever they are now, and what else the globs name. */
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
      // Its source was taken out of the configuration.
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

  /** Files that may have something new: those at the given paths; all of them from time to time. */
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
    // Each round begins with another file, so that a busy one does not keep the others waiting.
    const turn = chosen.length === 0 ? 0 : this.#turn++ % chosen.length
    return [...chosen.slice(turn), ...chosen.slice(0, turn)].filter((file) => this.#files.get(file.key) === file)
  }

  /** The next round looks at every file. */
  lookAgain(): void {
    this.#lookedAtMs = -Infinity
  }

  /** The next piece of the file, if there is one. A file that was rewritten starts again; one at its end is let go. */
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

  /** Rights, or a failing disk; it is tried again at each look. */
  async #noteUnreadable(file: TailedFile, error: unknown): Promise<void> {
    const cause = messageOf(error)
    // Gone or replaced in this moment: the next look tells.
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
        // Renamed, to another name that is tailed.
        file.place = found.path
        file.isRotated = false
      }
    }
  }

  /** Begins the file at a path that the system named, if it is a new one under a glob. */
  async #beginAt(path: string): Promise<void> {
    const source = this.#sourceOf(path)
    const found = source === undefined ? undefined : await statFile(path)
    if (source === undefined || found === undefined || isPacked(path)) return
    if (this.#files.has(found.key)) this.#mustFind = true
    else this.#begin(found, source)
  }

  #begin(found: FoundFile, source: TailSource): void {
    const { filesMax, logger } = this.#options
    // A file that appears while clew runs is new altogether; `end` is for those that were there before.
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

  /** Whether an unread file is to wait because it may be a copy of one that is followed, as rotation by copying makes them. */
  async #isCopy(file: TailedFile): Promise<boolean> {
    const nowMs = Date.now()
    if (nowMs - file.grewAtMs < this.#options.copyWaitMs) {
      const found = foundOf(file)
      const first = await file.firstBytes()
      for (const original of this.all()) {
        if (original.isUnread || original === file || dirname(original.place) !== dirname(file.place)) continue
        // Most files begin differently, which costs no look at the other file.
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

  /** The original of copies was truncated or is gone: they go on where it was read to. */
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
      // Before this one rotates too.
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

  /** Begins the file that took the name of another. True when it is that file again: then it goes on in its place. */
  async #replace(file: TailedFile, found: FoundFile): Promise<boolean> {
    await this.#beginAt(found.path)
    const fresh = this.#files.get(found.key)
    if (fresh === undefined || !fresh.isUnread || !(await isReplacement(found, file).catch(() => false))) return false
    fresh.adopt(file.state)
    this.keep(fresh)
    await this.#forget(file)
    return true
  }

  /** The file that has what was read of this one: by its inode, else by its bytes (a copy, a folder that was restored). */
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
    // A copy that no glob names is read too, once.
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
