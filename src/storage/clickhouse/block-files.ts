/**
 * Files that hand blocks to the embedded engine. They are on a memory file system if there is one with room, else next
 * to the store. They hold nothing that must outlive the process.
 */
import fs from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { userInfo } from 'node:os'
import path from 'node:path'
import { writeAll } from '../../base/disk.ts'
import { UnavailableError, messageOf } from '../../base/errors.ts'

const memoryFileSystem = '/dev/shm'

export class BlockFiles {
  /** Folders that only this process uses; the one on disk is made when it is needed. */
  readonly #inMemory: string | undefined
  #onDisk: string | undefined
  readonly #diskBase: string
  #number = 0

  /** `dataDir` is the engine's folder. */
  constructor(dataDir: string) {
    this.#inMemory = folderInMemory()
    this.#diskBase = path.join(dataDir, 'blocks')
  }

  /**
   * Writes a block's bytes; returns the file's path. Rejects with `UnavailableError` when no place has room for them.
   */
  async write(bytes: readonly Uint8Array[]): Promise<string> {
    const name = `${this.#number++}.native`
    if (this.#inMemory !== undefined) {
      try {
        return await writeWhole(path.join(this.#inMemory, name), bytes)
      } catch {
        // Full, most likely: containers often have 64 MiB there.
      }
    }
    try {
      this.#onDisk ??= makeOwnFolder(this.#diskBase)
      return await writeWhole(path.join(this.#onDisk, name), bytes)
    } catch (error) {
      const isFull = (error as NodeJS.ErrnoException).code === 'ENOSPC'
      const message = `cannot write a block for the store to ${this.#diskBase}: ${messageOf(error)}`
      throw new UnavailableError(isFull ? 'disk_full' : 'io_failed', message, { cause: error })
    }
  }

  close(): void {
    for (const dir of [this.#inMemory, this.#onDisk]) {
      if (dir !== undefined) fs.rmSync(dir, { recursive: true, force: true })
    }
  }
}

/** A folder that belongs to this user, as others may write to the memory file system too. */
function folderInMemory(): string | undefined {
  if (!fs.existsSync(memoryFileSystem)) return undefined
  const { uid } = userInfo()
  const base = path.join(memoryFileSystem, `clew-blocks-${uid}`)
  try {
    const dir = makeOwnFolder(base)
    if (fs.lstatSync(base).uid === uid) return dir
    fs.rmSync(dir, { recursive: true, force: true })
  } catch {
    // It belongs to somebody else, or cannot be written to: the data folder is used instead.
  }
  return undefined
}

/** A new folder for this process below `base`; those of processes that died are removed. */
function makeOwnFolder(base: string): string {
  fs.mkdirSync(base, { recursive: true, mode: 0o700 })
  for (const name of fs.readdirSync(base)) {
    if (!isAlive(Number(name.split('-')[0]))) fs.rmSync(path.join(base, name), { recursive: true, force: true })
  }
  return fs.mkdtempSync(path.join(base, `${process.pid}-`))
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Returns the path; leaves nothing behind when it fails. */
async function writeWhole(file: string, bytes: readonly Uint8Array[]): Promise<string> {
  const handle = await open(file, 'w', 0o600)
  try {
    await writeAll(handle, bytes, 0)
    return file
  } catch (error) {
    await rm(file, { force: true })
    throw error
  } finally {
    await handle.close()
  }
}
