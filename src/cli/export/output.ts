/**
 * Where an export is written. A file gets its name only when it is whole and on the disk: until then it is `NAME.part`, so
 * that a backup is never mistaken for one when the export broke off, and an older file of that name stays until then.
 */
import { once } from 'node:events'
import fs from 'node:fs'
import { open, rename, stat, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import type { Transform, Writable } from 'node:stream'
import { constants, createGzip, createZstdCompress } from 'node:zlib'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import { write } from '../terminal/output.ts'
import { cleanJson } from '../terminal/terminal-text.ts'

export interface ExportOutput {
  /**
   * `lines` are whole lines of JSON. Resolves when there is room for more. Rejects with `UnavailableError` when they
   * cannot be written.
   */
  write(lines: Uint8Array): Promise<void>
  /** Ends the output; a file is on the disk under its name when it resolves. */
  commit(): Promise<void>
  /** Ends it early. Resolves to the name of the file that has what was written, if there is one. */
  abandon(): Promise<string | undefined>
}

export interface OutputOptions {
  /** `undefined` and `-` for stdout. */
  readonly file: string | undefined
  /** Even if the file's name does not say so. */
  readonly gzip: boolean
}

export async function openOutput({ file, gzip }: OutputOptions): Promise<ExportOutput> {
  const compressor = compressorOf(file ?? '', gzip)
  if (file === undefined || file === '-') {
    const output = joined(compressor, process.stdout, () => Promise.resolve())
    return process.stdout.isTTY && compressor === undefined ? forTerminal(output) : output
  }
  const failed = (error: unknown): UnavailableError =>
    new UnavailableError('io_failed', `cannot write ${file}: ${messageOf(error)}`, { cause: error, canRetry: false })
  try {
    return await openFile(file, compressor, failed)
  } catch (error) {
    throw failed(error)
  }
}

/** What others sent must not steer the terminal that shows it. */
function forTerminal(output: ExportOutput): ExportOutput {
  return { ...output, write: (lines) => output.write(Buffer.from(cleanJson(Buffer.from(lines).toString()))) }
}

function compressorOf(file: string, gzip: boolean): Transform | undefined {
  // The lowest level: at others the export waits for gzip.
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
  // A device or a pipe is written as it is.
  const name = isOther ? file : `${file}.part`
  const handle = await open(name, 'w')
  // By number: a stream that has the handle itself would keep it from being closed.
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

/** The name of a new file is on the disk only once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined
  try {
    handle = await open(folder, 'r')
    await handle.sync()
  } finally {
    await handle?.close()
  }
}

/** Writes through the compressor, if there is one, to the end; `close` comes after all is written. */
function joined(compressor: Transform | undefined, end: Writable, close: () => Promise<void>): ExportOutput {
  const first = compressor ?? end
  compressor?.pipe(end, { end: end !== process.stdout })
  // An error of either is told to whoever writes next.
  let failure: Error | undefined
  for (const stream of [compressor, end]) stream?.on('error', (error: Error) => (failure ??= error))
  const finish = async (): Promise<void> => {
    if (failure !== undefined) throw failure
    if (end === process.stdout) {
      // It stays open for others.
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
