/** Writing whole buffers, and making names in folders durable. Both reject with what the system threw. */
import { open, type FileHandle } from 'node:fs/promises'

/** Writes all buffers from `offset` on, in as few calls as the system allows. */
export async function writeAll(file: FileHandle, buffers: readonly Uint8Array[], offset: number): Promise<void> {
  let rest = buffers
  let at = offset
  let left = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
  while (left > 0) {
    const { bytesWritten } = await file.writev(rest, at)
    if (bytesWritten === 0) throw new Error('the system wrote 0 bytes')
    at += bytesWritten
    left -= bytesWritten
    if (left > 0) rest = dropBytes(rest, bytesWritten)
  }
}

function dropBytes(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count
  let index = 0
  for (; index < buffers.length; index++) {
    const length = buffers[index]?.length ?? 0
    if (skip < length) break
    skip -= length
  }
  const [first, ...others] = buffers.slice(index)
  return first === undefined ? [] : [first.subarray(skip), ...others]
}

/** Makes names in a folder (new, renamed) survive a loss of power. */
export async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
