/**
 * Recognises a file by its own bytes: hashes of its beginning and of the bytes right before the place up to which it
 * was read. An inode alone is not enough: it is reused after its file is deleted, stays the same when a file is
 * truncated and rewritten, and differs after a copy.
 */
import { hash as digest } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

export interface Print {
  readonly bytes: number
  /** 32 hex digits; '' for no bytes. */
  readonly hash: string
}

export const emptyPrint: Print = { bytes: 0, hash: '' }
export const headBytesMax = 1024
export const lastBytesMax = 512

export function printOf(bytes: Uint8Array): Print {
  return bytes.length === 0 ? emptyPrint : { bytes: bytes.length, hash: digest('sha1', bytes).slice(0, 32) }
}

export function samePrint(a: Print, b: Print): boolean {
  return a.bytes === b.bytes && a.hash === b.hash
}

/** The bytes in [from, from + length) of the file; fewer at its end. */
export async function readAt(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, from + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

export interface Prints {
  readonly head: Print
  /** Ends at `offset`. */
  readonly last: Print
  readonly offset: number
}

/** Whether the file's beginning and the bytes right before `offset` are unchanged. True when nothing was read yet. */
export async function hasPrints(handle: FileHandle, { head, last, offset }: Prints): Promise<boolean> {
  if (!samePrint(printOf(await readAt(handle, 0, head.bytes)), head)) return false
  return samePrint(printOf(await readAt(handle, offset - last.bytes, last.bytes)), last)
}
