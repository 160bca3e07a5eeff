/**
 * Whether one file is a copy of what another was a moment ago, as `copytruncate` makes them. Files may begin alike
 * without being copies (a program writes the same lines at every start), so an equal beginning is not enough.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { matches, type FoundFile } from './file-finder.ts'
import { headBytesMax, lastBytesMax, printOf, readAt, samePrint } from './fingerprint.ts'
import type { FileState } from './position-file.ts'
import type { TailedFile } from './tailed-file.ts'

/** This many equal bytes are no accident. */
export const surelyAlikeBytes = 4096
/** A file that was replaced by its copy has at least this many bytes. */
const replacementBytesMin = 64
/** Clocks of file systems tick every few milliseconds, some every second. */
const clockMs = 1000

/** Whether an unread file has, so far, nothing that the other file did not have. Both are tailed. */
export async function mayBeCopy(found: FoundFile, original: TailedFile): Promise<boolean> {
  // A file that appears after a rotation has the name that the rotated file had before.
  if (found.path === original.path) return false
  if (await original.isIntact()) return found.size <= (await original.sizeNow()) && (await beginsAs(found, original))
  if (await matches(found, original.state)) return true
  // Made before the original was read further, but seen after the original was truncated: only the beginning can tell.
  return found.size >= surelyAlikeBytes && found.size < original.offset
}

/** Whether a file can be where the bytes of a truncated or missing one went. */
export async function isSuccessor(found: FoundFile, state: FileState): Promise<boolean> {
  if (state.head.bytes === 0 || found.changedAtMs < state.atMs - clockMs) return false
  if (found.path === state.path ? state.offset < surelyAlikeBytes : !hasStemOf(found.path, state.path)) return false
  return await matches(found, state)
}

/**
 * Whether the file that now has another's name is that same file, as `cp` and `mv`, `sed -i` and rsync leave it. The
 * old inode is gone, not renamed, and the new file has everything that was read. A few equal lines are not enough: a
 * program may write them at each start.
 */
export async function isReplacement(found: FoundFile, original: TailedFile): Promise<boolean> {
  if (original.pending !== undefined || original.offset < replacementBytesMin) return false
  return (
    (await original.isUnlinked()) && found.size >= (await original.sizeNow()) && (await matches(found, original.state))
  )
}

/** `app.log.1`, `app.log-20261123` and `app-20261123.log` come from `app.log`. */
function hasStemOf(path: string, original: string): boolean {
  return basename(path).startsWith(basename(original).replace(/\.[^.]*$/, ''))
}

async function beginsAs(found: FoundFile, original: TailedFile): Promise<boolean> {
  let copy: FileHandle | undefined
  try {
    copy = await open(found.path, 'r')
    const from = await original.open()
    const lastBytes = Math.min(lastBytesMax, found.size)
    return (
      (await sameAt(copy, from, 0, Math.min(headBytesMax, found.size))) &&
      (await sameAt(copy, from, found.size - lastBytes, lastBytes))
    )
  } finally {
    await copy?.close()
  }
}

async function sameAt(a: FileHandle, b: FileHandle, from: number, bytes: number): Promise<boolean> {
  return samePrint(printOf(await readAt(a, from, bytes)), printOf(await readAt(b, from, bytes)))
}
