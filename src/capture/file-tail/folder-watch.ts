/**
 * Learns from the system which files of some folders changed. Where the system reports nothing, polling still finds
 * out.
 */
import { watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'

/** Folders beyond this number are only polled. The system's own limit is usually 8192 or more. */
const foldersMax = 256

export class FolderWatch {
  readonly #watchers = new Map<string, FSWatcher>()
  #changed = new Set<string>()
  #wake: (() => void) | undefined

  setFolders(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const folder of folders) {
      if (!this.#watchers.has(folder) && this.#watchers.size < foldersMax) this.#add(folder)
    }
  }

  /** Paths that changed since the last call. */
  take(): Set<string> {
    const changed = this.#changed
    this.#changed = new Set()
    return changed
  }

  /** Resolves at the next change, after `ms`, or when the signal is aborted. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#changed.size > 0) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done)
      this.#wake = done
    })
  }

  close(): void {
    this.setFolders(new Set())
  }

  #add(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        this.#changed.add(name === null ? folder : join(folder, name))
        this.#wake?.()
      })
      watcher.on('error', () => {
        watcher.close()
        this.#watchers.delete(folder)
      })
      this.#watchers.set(folder, watcher)
    } catch {
      // gone, or the system has no watches left
    }
  }
}
