/**
 * Content encodings (RFC 9110 §8.4.1, zstd RFC 8878) with a bound on the output, so a small body cannot fill the
 * memory.
 */
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { InputError } from '../base/errors.ts'

const gunzip = promisify(zlib.gunzip)
const inflate = promisify(zlib.inflate)
const inflateRaw = promisify(zlib.inflateRaw)
const zstdDecompress = promisify(zlib.zstdDecompress)

/** Bodies up to this size are unpacked in the caller's thread: passing them to another thread costs more. */
const inlineBytesMax = 16 * 1024

export const encodings = ['identity', 'gzip', 'x-gzip', 'zstd', 'deflate', 'zlib'] as const

/**
 * Unpacks a body. Throws `InputError` `unsupported_encoding` for an unknown name, `too_large` when the result would
 * exceed `bytesMax`, `bad_request` when the bytes do not have that encoding. Several gzip members in a row are one
 * body.
 */
export async function decompress(encoding: string, body: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  const name = encoding.trim().toLowerCase()
  if (name === '' || name === 'identity') {
    if (body.length > bytesMax) throw tooLarge(bytesMax)
    return body
  }
  try {
    return await unpack(name, body, { maxOutputLength: bytesMax })
  } catch (error) {
    if (error instanceof InputError) throw error
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax)
    throw new InputError('bad_request', `cannot decompress body as ${name}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

async function unpack(name: string, body: Uint8Array, options: { maxOutputLength: number }): Promise<Uint8Array> {
  const inline = body.length <= inlineBytesMax
  switch (name) {
    case 'gzip':
    case 'x-gzip':
      return inline ? zlib.gunzipSync(body, options) : gunzip(body, options)
    case 'zstd':
      return inline ? zlib.zstdDecompressSync(body, options) : zstdDecompress(body, options)
    case 'deflate':
    case 'zlib':
      // "deflate" is the zlib format; some clients send raw deflate, whose first byte cannot begin a zlib header.
      if (looksLikeZlib(body)) return inline ? zlib.inflateSync(body, options) : inflate(body, options)
      return inflateRaw(body, options)
    default:
      throw new InputError(
        'unsupported_encoding',
        `cannot read content encoding "${name}": supported are gzip, zstd, deflate and identity`,
      )
  }
}

/** RFC 1950 §2.2: method 8 in the low nibble, and the first two bytes are a multiple of 31. */
function looksLikeZlib(body: Uint8Array): boolean {
  return body.length >= 2 && (body[0]! & 0x0f) === 8 && (body[0]! * 256 + body[1]!) % 31 === 0
}

function tooLarge(bytesMax: number): InputError {
  return new InputError('too_large', `body is larger than ${bytesMax} bytes after decompression; send smaller batches`)
}
