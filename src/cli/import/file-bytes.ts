import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import type { Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { InputError, messageOf } from '../../base/errors.ts'

interface Compression {
  readonly name: string
  readonly magic: readonly number[]
  readonly decompress: () => Transform
}

const compressions: readonly Compression[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], decompress: () => createGunzip() },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], decompress: () => createZstdDecompress() },
]

/** Size of a file in bytes; 0 for standard input. Throws `InputError` when it cannot be read. */
export async function fileBytes(file: string): Promise<number> {
  if (file === '-') return 0
  try {
    const { size } = await stat(file)
    return size
  } catch (error) {
    throw new InputError('not_found', `cannot import ${file}: ${messageOf(error)}`, { cause: error })
  }
}

/**
 * Chunks of a file (`-` is standard input), decompressed if its first bytes say it is gzip or zstd. `onRead` gets the
 * number of file bytes read.
 */
export async function* readChunks(file: string, onRead: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const raw = rawChunks(file, onRead)
  const first = await raw.next()
  if (first.done === true) return
  const whole = startingWith(first.value, raw)
  const compression = compressions.find(({ magic }) => magic.every((byte, index) => first.value[index] === byte))
  if (compression === undefined) return yield* whole
  try {
    const decompressed = compression.decompress()
    // Errors of every stream reach the loop below through the last stream.
    pipeline(Readable.from(whole), decompressed, () => {})
    yield* decompressed as AsyncIterable<Uint8Array>
  } catch (error) {
    throw new InputError('unsupported_encoding', `broken ${compression.name}: ${messageOf(error)}`, { cause: error })
  }
}

async function* rawChunks(file: string, onRead: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const stream: AsyncIterable<Uint8Array> =
    file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 20 })
  for await (const chunk of stream) {
    onRead(chunk.length)
    yield chunk
  }
}

async function* startingWith(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  yield* rest
}
