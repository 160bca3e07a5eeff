/**
 * Finds files: by the globs of the sources, and a file's companions (its renamed or copied form) in the same folder.
 */
import { constants, type BigIntStats } from 'node:fs'
import { access, glob, open, readdir, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasPrints, type Prints } from './fingerprint.ts'
import type { TailSource } from './tail-source.ts'

export interface FoundFile {
  readonly path: string
  readonly key: string
  readonly size: number
  readonly changedAtMs: number
}

/** Compressed rotated files: their text was read before. */
export function isPacked(path: string): boolean {
  return /\.(gz|bz2|xz|zst|lz4|zip|Z)$/.test(path)
}

/** A folder with more entries is not searched for companions. */
const companionsMax = 10_000

/** The files found, and a report of each folder or path that this process may not read. */
export async function findByGlobs(
  source: TailSource,
  onUnreadable: (path: string, cause: string) => void,
): Promise<FoundFile[]> {
  const found: FoundFile[] = []
  for (const pattern of source.paths) {
    // The search itself skips what it may not see.
    const folder = folderOf(pattern)
    const cause = await cannotRead(folder)
    if (cause !== undefined) onUnreadable(folder, cause)
    for await (const path of glob(pattern, { exclude: source.exclude })) {
      if (isPacked(path)) continue
      const file = await statFile(path)
      if (file !== undefined) found.push(file)
    }
  }
  return found
}

/** The folder before the first part of a glob that contains a wildcard. */
export function folderOf(pattern: string): string {
  const parts = pattern.split('/')
  const first = parts.findIndex((part) => /[*?[{!+@(]/.test(part))
  return first < 0 ? dirname(pattern) : parts.slice(0, first).join('/') || '/'
}

/** Why a folder cannot be read; `undefined` also for one that does not exist, as it may appear later. */
async function cannotRead(folder: string): Promise<string | undefined> {
  try {
    await access(folder, constants.X_OK | constants.R_OK)
    return undefined
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'EACCES' || code === 'EPERM' ? message : undefined
  }
}

/** `undefined` when there is no regular file that can be read. */
export async function statFile(path: string): Promise<FoundFile | undefined> {
  try {
    const stats = await stat(path, { bigint: true })
    return stats.isFile() ? { path, ...factsOf(stats) } : undefined
  } catch {
    return undefined // gone again, or not ours to read
  }
}

export async function statHandle(handle: FileHandle): Promise<Omit<FoundFile, 'path'>> {
  return factsOf(await handle.stat({ bigint: true }))
}

/** Inodes of some file systems need all 64 bits. */
function factsOf({ dev, ino, size, mtimeMs }: BigIntStats): Omit<FoundFile, 'path'> {
  return { key: `${dev}:${ino}`, size: Number(size), changedAtMs: Number(mtimeMs) }
}

/** The files in the folder of `path`, including `path`. */
export async function findBeside(path: string): Promise<FoundFile[]> {
  const dir = dirname(path)
  const names = await readdir(dir).catch(() => [])
  if (names.length > companionsMax) return []
  const files = await Promise.all(names.filter((name) => !isPacked(name)).map((name) => statFile(join(dir, name))))
  return files.filter((file) => file !== undefined)
}

/** Whether the file at `path` is still the inode `key` and has these bytes; false when it cannot be opened. */
export async function matches(file: FoundFile, prints: Prints): Promise<boolean> {
  if (file.size < prints.offset) return false
  let handle: FileHandle | undefined
  try {
    handle = await open(file.path, 'r')
    return (await statHandle(handle)).key === file.key && (await hasPrints(handle, prints))
  } catch {
    return false
  } finally {
    await handle?.close()
  }
}
