/**
 * One record of the local log: a header and the body exactly as it was received. All numbers are little-endian.
 *
 *   record       = header body
 *   header       = marker crc version signal headerBytes bodyBytes position receivedAtMs hash
 *                  codecBytes encodingBytes tenantBytes flags codec encoding tenant
 *   marker       = 8 bytes    ; random, one per log: no body from outside can hold a forged header
 *   crc          = u32        ; CRC-32 of the header after this field
 *   version      = u8         ; 1
 *   signal       = u8         ; 1 spans, 2 events
 *   headerBytes  = u16        ; whole header, 56 + the three texts
 *   bodyBytes    = u32
 *   position     = u64
 *   receivedAtMs = f64        ; milliseconds since the epoch
 *   hash         = 16 bytes   ; first 16 bytes of SHA-1(body): the body's checksum and the key of retries
 *   codecBytes, encodingBytes, tenantBytes = u8
 *   flags        = u8         ; bit 0: the sender never repeats itself, equal bytes are another record
 *   codec, encoding, tenant = UTF-8
 *   body         = bodyBytes bytes
 *
 * docs/transport-log.md draws it.
 */
import { crc32 } from 'node:zlib'
import { InputError } from '../../base/errors.ts'
import type { LogRecord, Position, RecordHeader, Signal } from '../../model/log.ts'

export const markerBytes = 8
export const hashBytes = 16
export const recordFixedBytes = 56
const textBytesMax = 255
export const recordHeaderBytesMax = recordFixedBytes + 3 * textBytesMax
/** Largest body a record may have; receivers set their own, smaller limits. */
export const bodyBytesMax = 256 * 1024 * 1024

const recordVersion = 1
const notRetryable = 1
const crcEnd = markerBytes + 4
const signals: readonly (Signal | undefined)[] = [undefined, 'spans', 'events']

/** A record's header as read back, and how many bytes header and body take. */
export interface DecodedHeader extends RecordHeader {
  readonly position: Position
  /** Lower-case hex of the 16 hash bytes. */
  readonly hash: string
  /** Whether the same bytes again would be a retry of this record. */
  readonly retryable: boolean
  readonly headerBytes: number
  readonly bodyBytes: number
}

type HeaderFields = RecordHeader & Pick<LogRecord, 'retryable'>

/** The part of a header that does not depend on its place in the log, checked and ready to be written. */
export interface PreparedHeader {
  readonly bytes: Buffer
  readonly bodyBytes: number
}

/**
 * Encodes all of a header but its position and CRC, which `sealRecordHeader` adds once the position is known.
 * Throws `InputError` when a text is longer than 255 bytes or the body larger than `bodyBytesMax`.
 */
export function prepareRecordHeader(header: HeaderFields, bodyBytes: number, hash: Uint8Array): PreparedHeader {
  if (bodyBytes > bodyBytesMax) {
    throw new InputError('too_large', `cannot log a body of ${bodyBytes} bytes: the limit is ${bodyBytesMax}`)
  }
  const codec = textLength(header.codec, 'codec')
  const encoding = textLength(header.encoding, 'encoding')
  const tenant = textLength(header.tenant, 'tenant')
  const headerBytes = recordFixedBytes + codec + encoding + tenant
  const bytes = Buffer.allocUnsafe(headerBytes)
  bytes[12] = recordVersion
  bytes[13] = signals.indexOf(header.signal)
  bytes.writeUInt16LE(headerBytes, 14)
  bytes.writeUInt32LE(bodyBytes, 16)
  bytes.writeDoubleLE(header.receivedAtMs, 28)
  bytes.set(hash.subarray(0, hashBytes), 36)
  bytes[52] = codec
  bytes[53] = encoding
  bytes[54] = tenant
  bytes[55] = header.retryable === false ? notRetryable : 0
  bytes.write(header.codec, recordFixedBytes)
  bytes.write(header.encoding, recordFixedBytes + codec)
  bytes.write(header.tenant, recordFixedBytes + codec + encoding)
  return { bytes, bodyBytes }
}

/** Completes a prepared header in place; may be called again with another position when a write has failed. */
export function sealRecordHeader(prepared: PreparedHeader, position: number, marker: Uint8Array): Buffer {
  const { bytes } = prepared
  bytes.set(marker, 0)
  bytes.writeUInt32LE(position % 0x1_0000_0000, 20)
  bytes.writeUInt32LE(Math.floor(position / 0x1_0000_0000), 24)
  bytes.writeUInt32LE(crc32(bytes.subarray(crcEnd)), markerBytes)
  return bytes
}

/**
 * The header at the start of `bytes`, or `undefined` when there is none: wrong marker, wrong CRC, unknown version, or
 * `bytes` ends before it does (give at least `recordHeaderBytesMax` bytes where the file has them).
 */
export function decodeRecordHeader(bytes: Buffer, marker: Uint8Array): DecodedHeader | undefined {
  if (bytes.length < recordFixedBytes) return undefined
  for (let i = 0; i < markerBytes; i++) if (bytes[i] !== marker[i]) return undefined
  const headerBytes = bytes.readUInt16LE(14)
  if (headerBytes < recordFixedBytes || headerBytes > bytes.length) return undefined
  if (crc32(bytes.subarray(crcEnd, headerBytes)) !== bytes.readUInt32LE(markerBytes)) return undefined
  const signal = signals[bytes[13] ?? 0]
  if (bytes[12] !== recordVersion || signal === undefined) return undefined
  const codecEnd = recordFixedBytes + (bytes[52] ?? 0)
  const encodingEnd = codecEnd + (bytes[53] ?? 0)
  const tenantEnd = encodingEnd + (bytes[54] ?? 0)
  if (tenantEnd !== headerBytes) return undefined
  return {
    signal,
    codec: bytes.toString('utf8', recordFixedBytes, codecEnd),
    encoding: bytes.toString('utf8', codecEnd, encodingEnd),
    tenant: bytes.toString('utf8', encodingEnd, tenantEnd),
    receivedAtMs: bytes.readDoubleLE(28),
    position: (bytes.readUInt32LE(20) + bytes.readUInt32LE(24) * 0x1_0000_0000) as Position,
    hash: bytes.toString('hex', 36, 36 + hashBytes),
    retryable: ((bytes[55] ?? 0) & notRetryable) === 0,
    headerBytes,
    bodyBytes: bytes.readUInt32LE(16),
  }
}

function textLength(text: string, name: string): number {
  const length = Buffer.byteLength(text)
  if (length <= textBytesMax) return length
  throw new InputError('bad_request', `cannot log a ${name} of ${length} bytes: the limit is ${textBytesMax}`, {
    at: name,
  })
}
