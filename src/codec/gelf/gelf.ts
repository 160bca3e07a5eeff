/**
 * GELF 1.1 (go2docs.graylog.org, "GELF Format via …"), one JSON object per message, which may be gzip or zlib:
 *   version, host, short_message required · full_message · timestamp (seconds, with fraction) · level (syslog's 0-7)
 *   · facility, line, file (deprecated) · _name for everything else
 * host -> host.name · short_message -> body · level -> severity · _name -> attribute `name`, or what that name means
 * (record/fields.ts: `_service`, `_trace_id`, …). A sender's own field with the name of a standard one (`_level`,
 * `_host`, …) stays an attribute, unless the standard one is missing. A message without a short_message is rejected.
 * The body is that of `framing/peer-messages.ts`; all of it may unpack to `unpackedBytesMax`.
 */
import zlib from 'node:zlib'
import { InputError, messageOf } from '../../base/errors.ts'
import { EventBatchBuilder } from '../../model/event-batch.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { decodePeerMessages } from '../framing/peer-messages.ts'
import { putObject, type Rename } from '../json/json-record.ts'
import { JsonValueReader, objectsMax, type ObjectBudget } from '../json/value-reader.ts'
import { slots } from '../record/fields.ts'
import { RecordRow } from '../record/record-row.ts'
import { validText } from '../utf8.ts'

export const gelf: Codec = { name: 'gelf', signal: 'events', decode }

export const unpackedBytesMax = 64 * 1024 * 1024

const builder = new EventBatchBuilder()
const record = new RecordRow(builder)

const names: Readonly<Record<string, string | undefined>> = {
  version: undefined,
  host: 'host.name',
  short_message: 'message',
  line: 'code.line.number',
  file: 'code.file.path',
}

/** Names of standard fields, which a sender's field of the same name must not replace. */
const shadow =
  /^_(version|host|host[._]?name|short_message|full_message|message|level|timestamp|facility|line|file|id)$/i

interface Progress {
  readonly receivedAtMs: number
  readonly budget: ObjectBudget
  unpackedBytesLeft: number
  rejected: number
  reason: string
}

function decode(body: Uint8Array, { receivedAtMs }: DecodeContext): Decoded {
  builder.reset('gelf', body)
  record.reset()
  const progress: Progress = {
    receivedAtMs,
    budget: { left: objectsMax },
    unpackedBytesLeft: unpackedBytesMax,
    rejected: 0,
    reason: '',
  }
  decodePeerMessages(body, (peer, start, end) => {
    try {
      addRow(readerOf(body, { start, end: withoutNuls(body, start, end) }, progress), peer, receivedAtMs)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      if (progress.rejected++ === 0) progress.reason = error.message
    }
  })
  return { batch: builder.finish(), rejected: progress.rejected, rejectedReason: progress.reason }
}

/** Senders that know only the TCP form end datagrams with it too. */
function withoutNuls(body: Uint8Array, start: number, end: number): number {
  if (body[start] !== 0x7b) return end
  let last = end
  while (last > start && body[last - 1] === 0) last--
  return last
}

/** A reader for the message's JSON in the arena: in place if it was not compressed, else at the arena's end. */
function readerOf(body: Uint8Array, place: { start: number; end: number }, progress: Progress): JsonValueReader {
  const message = body.subarray(place.start, place.end)
  const plain = unpack(message, progress)
  const text = validText(plain)
  if (text === message) return new JsonValueReader(body, place, progress.budget)
  const start = builder.arena.appendBytes(text)
  return new JsonValueReader(builder.arena.bytes, { start, end: start + text.length }, progress.budget)
}

/** gzip begins 1f 8b; zlib has method 8 in the low nibble, and its first two bytes are a multiple of 31. */
function unpack(message: Uint8Array, progress: Progress): Uint8Array {
  const [first = 0, second = 0] = message
  const isGzip = first === 0x1f && second === 0x8b
  const isZlib = (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0
  if (!isGzip && !isZlib) return message
  try {
    const options = { maxOutputLength: Math.max(1, progress.unpackedBytesLeft) }
    const plain = isGzip ? zlib.gunzipSync(message, options) : zlib.inflateSync(message, options)
    progress.unpackedBytesLeft -= plain.length
    return plain
  } catch (error) {
    const tooLarge = (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE'
    const cause = tooLarge ? `it is larger than ${unpackedBytesMax} bytes` : messageOf(error)
    throw new InputError('bad_request', `cannot unpack a GELF message: ${cause}`)
  }
}

function addRow(reader: JsonValueReader, peer: string, receivedAtMs: number): void {
  record.setDefaults({ service: '', host: peer })
  try {
    record.begin()
    putObject(reader, record, rename)
    reader.finish()
    if (!record.values.has(slots.body)) throw new InputError('bad_request', 'a GELF message has no short_message')
    if (peer !== '') record.putAttribute('network.peer.address', { type: 'string', value: peer })
    record.end(receivedAtMs)
  } catch (error) {
    record.drop()
    throw error
  }
}

function rename(key: string): ReturnType<Rename> {
  if (key.startsWith('_')) return shadow.test(key) ? { behind: key.slice(1) } : key.slice(1)
  return Object.hasOwn(names, key) ? names[key] : key
}
