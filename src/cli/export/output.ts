/**
 * Where an export is written. A file gets its name only when it is complete and on the disk. Until then it is called
 * `NAME.part`, so that a broken export is never mistaken for a backup, and an older file of that name stays until then.
 */
import { once } from 'node:events'
import fs from 'node:fs'
import { open, rename, stat, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import type { Transform, Writable } from 'node:stream'
import { constants, createGzip, createZstdCompress } from 'node:zlib'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import { write } from '../terminal/output.ts'

export interface ExportOutput {
  /** Resolves when there is room for more. Rejects with `UnavailableError` when the output cannot be written. */
  write(bytes: Uint8Array): Promise<void>
  /** Ends the output. When it resolves, a file is on the disk under its name. */
  commit(): Promise<void>
  /** Ends the output early. Resolves to the name of the file with what was written so far, if there is one. */
  abandon(): Promise<string | undefined>
}

export interface OutputOptions {
  /** `undefined` and `-` for stdout. */
  readonly file: string | undefined
  /** Compress even if the file's name does not end in `.gz`. */
  readonly gzip: boolean
}

export async function openOutput({ file, gzip }: OutputOptions): Promise<ExportOutput> {
  const compressor = compressorOf(file ?? '', gzip)
  if (file === undefined || file === '-') return joined(compressor, process.stdout, () => Promise.resolve())
  const failed = (error: unknown): UnavailableError =>
    new UnavailableError('io_failed', `cannot write ${file}: ${messageOf(error)}`, { cause: error, canRetry: false })
  try {
    return await openFile(file, compressor, failed)
  } catch (error) {
    throw failed(error)
  }
}

function compressorOf(file: string, gzip: boolean): Transform | undefined {
  // The lowest level: with higher levels the export waits for gzip.
  if (gzip || file.endsWith('.gz')) return createGzip({ level: 1 })
  if (!file.endsWith('.zst')) return undefined
  return createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } })
}

async function openFile(
  file: string,
  compressor: Transform | undefined,
  failed: (error: unknown) => UnavailableError,
): Promise<ExportOutput> {
  const isOther = await stat(file).then(
    (found) => !found.isFile(),
    () => false,
  )
  // A device or a pipe is written directly.
  const name = isOther ? file : `${file}.part`
  const handle = await open(name, 'w')
  // By file descriptor: if the stream had the handle itself, the handle could not be closed.
  const stream = fs.createWriteStream(name, { fd: handle.fd, autoClose: false, highWaterMark: 1 << 20 })
  const output = joined(compressor, stream, async () => {
    if (!isOther) await handle.sync()
    await handle.close()
  })
  const told = <Result>(work: Promise<Result>): Promise<Result> =>
    work.catch((error: unknown) => Promise.reject(failed(error)))
  return {
    write: (bytes) => told(output.write(bytes)),
    async commit() {
      await told(output.commit())
      if (isOther) return
      await told(rename(name, file))
      await told(syncFolder(path.dirname(file)))
    },
    async abandon() {
      await told(output.abandon())
      return isOther ? undefined : name
    },
  }
}

/** The name of a new file is on the disk only after its folder is synced. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined
  try {
    handle = await open(folder, 'r')
    await handle.sync()
  } finally {
    await handle?.close()
  }
}

/** Writes everything through the compressor, if there is one. `close` is called after everything is written. */
function joined(compressor: Transform | undefined, end: Writable, close: () => Promise<void>): ExportOutput {
  const first = compressor ?? end
  compressor?.pipe(end, { end: end !== process.stdout })
  // The next write reports an error of either stream.
  let failure: Error | undefined
  for (const stream of [compressor, end]) stream?.on('error', (error: Error) => (failure ??= error))
  const finish = async (): Promise<void> => {
    if (failure !== undefined) throw failure
    if (end === process.stdout) {
      // stdout stays open for other output.
      compressor?.end()
      if (compressor !== undefined) await once(compressor, 'end')
    } else {
      const written = once(end, 'finish')
      first.end()
      await written
    }
    await close()
  }
  return {
    async write(bytes) {
      if (failure !== undefined) throw failure
      await write(bytes, first)
    },
    commit: finish,
    async abandon() {
      await finish()
      return undefined
    },
  }
}
