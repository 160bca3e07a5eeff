/**
 * Fluentd Forward messages into events (Forward Protocol Specification v1 and what Fluent Bit adds to it):
 *   body     = { message }                          ; one or several, see message.ts
 *   entry    = [time, record] | [[time, metadata], record]
 *   time     = int (seconds) | float (seconds) | ext 0 of 8 bytes: seconds u32, nanoseconds u32 (EventTime) | nil
 *   record   = map of text to any value
 * Time 0 and nil mean "when it was received". Times -1 and -2 mark the begin and end of a group of logs that came as
 * OTLP. The record of such a mark is {resource, scope}; entries between the marks carry their OTLP fields in
 * `metadata.otlp`.
 * A compressed chunk may hold several gzip members or zstd frames one after another.
 *
 * Invalid UTF-8 in a text becomes replacement characters, as logs come from anywhere; a bin with valid UTF-8 is text.
 * A chunk may unpack to at most `unpackedBytesMax`. This is no option, because a replay must produce the same rows.
 */
import zlib from 'node:zlib'
import { InputError, messageOf } from '../../base/errors.ts'
import { valueTypes } from '../../model/attribute-columns.ts'
import { EventBatchBuilder } from '../../model/event-batch.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { slots } from '../record/fields.ts'
import { RecordRow } from '../record/record-row.ts'
import { nanosOfInteger, nanosOfNumber } from '../record/record-time.ts'
import { isUtf8Range, utf8Text } from '../utf8.ts'
import { applyMetadata, readGroup } from './group.ts'
import { readMessage, type ForwardMessage } from './message.ts'
import { kinds, MsgpackReader, type Kind } from './msgpack.ts'
import { mayHoldPartials, partialMark, partialNames, Partials } from './partials.ts'

export const forward: Codec = { name: 'forward', signal: 'events', decode }

/** For all messages of one body together. */
export const unpackedBytesMax = 64 * 1024 * 1024

const builder = new EventBatchBuilder()
const record = new RecordRow(builder)
/** Keys of this batch that are invalid UTF-8, and their replacements. */
const repairedKeys = new Map<number, number>()
const partials = new Partials()

/** The state of one call of `decode`. */
interface Progress {
  readonly receivedAtMs: number
  rejected: number
  reason: string
  /** How many bytes may still be unpacked. */
  unpackedBytesLeft: number
  tagKey: number
  /** Some record may be a piece of a line. */
  hasPartials: boolean
}

function decode(body: Uint8Array, { receivedAtMs }: DecodeContext): Decoded {
  builder.reset('forward', body)
  record.reset()
  repairedKeys.clear()
  partials.reset()
  const progress: Progress = {
    receivedAtMs,
    rejected: 0,
    reason: '',
    unpackedBytesLeft: unpackedBytesMax,
    tagKey: record.keyOf('fluent.tag'),
    hasPartials: mayHoldPartials(body),
  }
  const reader = new MsgpackReader(body)
  while (reader.at < reader.end) decodeMessage(reader, progress)
  for (const row of partials.complete(builder)) record.linkBody(row)
  return { batch: builder.finish(), rejected: progress.rejected, rejectedReason: progress.reason }
}

function refuse(progress: Progress, reason: string, rows = 1): void {
  if (progress.rejected === 0) progress.reason = reason
  progress.rejected += rows
}

function decodeMessage(reader: MsgpackReader, progress: Progress): void {
  const start = reader.at
  let message: ForwardMessage | string
  try {
    message = readMessage(reader)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    // Skipping it fails only when the body itself is cut short, and then the whole body is refused.
    reader.at = start
    reader.skip()
    return refuse(progress, error.message)
  }
  if (typeof message === 'string') return refuse(progress, message)
  const after = reader.at
  decodeEvents(message, reader, progress)
  reader.at = after
}

function decodeEvents(message: ForwardMessage, reader: MsgpackReader, progress: Progress): void {
  const { option, mode, bodyAt } = message
  if (option.signal !== 0) {
    const what = option.signal === 1 ? 'metrics' : option.signal === 2 ? 'traces' : `signal ${option.signal}`
    return refuse(
      progress,
      `fluent_signal ${option.signal}: only logs are taken over Forward, not ${what}; send those as OTLP`,
    )
  }
  record.setOrigin(undefined, undefined)
  record.setDefaults({ service: utf8Text(reader.bytes, message.tagStart, message.tagEnd), host: '' })
  const tag = keepText(reader, message.tagStart, message.tagEnd)
  reader.at = bodyAt
  if (mode === 'message') {
    const problem = decodeEntry(reader, tag, progress)
    if (problem !== '') refuse(progress, problem)
    return
  }
  const header = reader.header()
  if (mode === 'packed') return decodePacked(message, reader, { tag, progress })
  if (header !== kinds.array) return refuse(progress, 'the entries of a message are not an array')
  for (let left = reader.size; left > 0; left--) decodeListed(reader, tag, progress)
}

/** A text of the message in the arena. */
interface TextAt {
  readonly start: number
  readonly length: number
}

function decodePacked(message: ForwardMessage, reader: MsgpackReader, rest: { tag: TextAt; progress: Progress }): void {
  const { tag, progress } = rest
  const { compressed, size } = message.option
  const packed = reader.bytes.subarray(reader.at, reader.at + reader.size)
  let entries = new MsgpackReader(reader.bytes, { start: reader.at, end: reader.at + reader.size }, reader.budget)
  if (compressed !== '') {
    const unpacked = unpack(compressed, packed, progress)
    if (typeof unpacked === 'string') return refuse(progress, unpacked, Math.max(1, Math.min(size, 1_000_000)))
    progress.unpackedBytesLeft -= unpacked.length
    progress.hasPartials ||= mayHoldPartials(unpacked)
    const start = builder.arena.appendBytes(unpacked)
    entries = new MsgpackReader(builder.arena.bytes, { start, end: start + unpacked.length }, reader.budget)
  }
  try {
    while (entries.at < entries.end) decodeListed(entries, tag, progress)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    // The stream of entries is cut or broken: earlier entries are kept, and where the next would begin is unknown.
    refuse(progress, error.message)
  }
}

function unpack(compressed: string, packed: Uint8Array, progress: Progress): Uint8Array | string {
  const options = { maxOutputLength: Math.max(1, progress.unpackedBytesLeft) }
  try {
    if (compressed === 'gzip') return zlib.gunzipSync(packed, options)
    if (compressed === 'zstd') return zlib.zstdDecompressSync(packed, options)
  } catch (error) {
    const tooLarge = (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE'
    const cause = tooLarge ? `it is larger than ${unpackedBytesMax} bytes` : messageOf(error)
    return `cannot unpack a ${compressed} chunk: ${cause}`
  }
  return `cannot unpack a chunk of compression "${compressed.slice(0, 40)}": supported are gzip, zstd and text`
}

/** One `[time, record]`. Leaves the reader after it; throws `InputError` when its end cannot be found. */
function decodeListed(reader: MsgpackReader, tag: TextAt, progress: Progress): void {
  const start = reader.at
  const isEntry = reader.header() === kinds.array && reader.size >= 2
  const extra = reader.size - 2
  const problem = isEntry ? decodeEntry(reader, tag, progress) : 'an entry is not an array of time and record'
  if (problem === '') {
    for (let left = extra; left > 0; left--) reader.skip()
    return
  }
  // Reading stopped somewhere inside: skipping the entry from its start finds its end.
  reader.at = start
  reader.skip()
  refuse(progress, problem)
}

/** Adds time and record as a row, or returns what is wrong with them; then the reader stopped inside the entry. */
function decodeEntry(reader: MsgpackReader, tag: TextAt, progress: Progress): string {
  let problem: string
  try {
    record.begin()
    problem = decodeTimedRecord(reader, tag, progress)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    problem = error.message
  }
  if (problem === '') return ''
  record.drop()
  return problem === noRow ? '' : problem
}

/** The entry was understood, but is not a row of its own. */
const noRow = 'no row'

/** Returns what is wrong, or '' for a row that was added, or `noRow`. */
function decodeTimedRecord(reader: MsgpackReader, tag: TextAt, progress: Progress): string {
  let kind = reader.header()
  const hasMetadata = kind === kinds.array
  if (hasMetadata) {
    if (reader.size !== 2) return 'the head of an entry is not time and metadata'
    kind = reader.header()
  }
  const mark = readTime(reader, kind)
  if (typeof mark === 'string') return mark
  const metadata = hasMetadata ? reader.value() : undefined
  if (mark < 0) {
    const group = reader.value()
    const origin = mark === -1 ? readGroup(group) : undefined
    record.setOrigin(origin?.resource, origin?.scope)
    return noRow
  }
  if (reader.header() !== kinds.map) return 'a record is not a map'
  builder.attributes.add(progress.tagKey, valueTypes.string, tag.start, tag.length)
  for (let left = reader.size; left > 0; left--) decodePair(reader)
  if (metadata?.type === 'map') applyMetadata(record, metadata.value)
  if (progress.hasPartials && joinsPartial()) return noRow
  record.end(progress.receivedAtMs)
  return ''
}

/** True when the record is the next piece of a line that has a row. The marks do not stay attributes. */
function joinsPartial(): boolean {
  const taken = record.takeAttributes(partialNames)
  const mark = partialMark(taken)
  if (mark === undefined) {
    for (const { key, value } of taken) record.putAttribute(key, value)
    return false
  }
  const hasBody = record.values.has(slots.body)
  return partials.add(mark, record.row, hasBody ? String(record.values.value(slots.body).value) : '')
}

/** Sets the row's time. Returns 0 on success, -1 or -2 for a mark of groups, else what is wrong. */
function readTime(reader: MsgpackReader, kind: Kind): number | string {
  switch (kind) {
    case kinds.ext: {
      if (reader.extType !== 0 || reader.size !== 8)
        return `a time is ext ${reader.extType} of ${reader.size} bytes, not EventTime`
      const { bytes, at } = reader
      reader.at = at + 8
      return setEventTime(word(bytes, at), word(bytes, at + 4))
    }
    case kinds.int: {
      if (reader.high === 0) return setEventTime(reader.low, 0)
      if (reader.high === 0xffffffff) return mark(reader.low | 0)
      const nanos = nanosOfInteger(reader.int64())
      if (nanos === undefined || reader.isBeyondInt64) return 'a time is not seconds since 1970'
      record.setTime(nanos)
      return 0
    }
    case kinds.double: {
      const seconds = reader.double()
      if (seconds === 0) return 0
      if (seconds < 0) return mark(seconds)
      const nanos = nanosOfNumber(seconds)
      if (nanos === undefined) return 'a time is not seconds since 1970'
      record.setTime(nanos)
      return 0
    }
    case kinds.nil:
      return 0
    default:
      return 'a time is neither a number nor an EventTime'
  }
}

function mark(seconds: number): number | string {
  return seconds === -1 || seconds === -2 ? seconds : 'a time lies before 1970'
}

/** seconds · 10⁹ + nanoseconds in two words; every intermediate value stays below 2^53. */
function setEventTime(seconds: number, nanos: number): number {
  if (seconds >= 0xfffffffe) return (seconds | 0) === -1 ? -1 : -2
  if (seconds === 0 && nanos === 0) return 0
  const upper = (seconds >>> 16) * 1e9
  const lower = (upper % 0x10000) * 0x10000 + (seconds & 0xffff) * 1e9 + nanos
  record.setTimeWords(lower >>> 0, Math.floor(upper / 0x10000) + Math.floor(lower / 0x1_0000_0000))
  return 0
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

function decodePair(reader: MsgpackReader): void {
  const key = decodeKey(reader)
  const kind = reader.header()
  switch (kind) {
    case kinds.str: {
      const start = reader.at
      reader.at += reader.size
      if (isUtf8Range(reader.bytes, start, reader.at)) return record.put(key, valueTypes.string, start, reader.size)
      const kept = keepText(reader, start, reader.at)
      return record.put(key, valueTypes.string, kept.start, kept.length)
    }
    case kinds.int:
      if (reader.isBeyondInt64) break
      return record.put(key, valueTypes.int, reader.low, reader.high)
    case kinds.double:
      return record.put(key, valueTypes.double, reader.low, reader.high)
    case kinds.bool:
      return record.put(key, valueTypes.bool, reader.low, 0)
    case kinds.bin:
      if (!isUtf8Range(reader.bytes, reader.at, reader.at + reader.size)) break
      reader.at += reader.size
      return record.put(key, valueTypes.string, reader.at - reader.size, reader.size)
  }
  const value = reader.valueOf(kind)
  record.putKeyed(key, value)
  record.lookInto(key, value)
}

function decodeKey(reader: MsgpackReader): number {
  const start = reader.at
  const kind = reader.header()
  if (kind !== kinds.str) {
    reader.at = start
    return record.keyOf(reader.keyText())
  }
  const at = reader.at
  reader.at += reader.size
  const before = builder.dictionary.count
  const key = builder.dictionary.intern(builder.arena.bytes, at, reader.at)
  if (key === before && !isUtf8Range(reader.bytes, at, reader.at)) {
    repairedKeys.set(key, record.keyOf(utf8Text(reader.bytes, at, reader.at)))
  }
  return repairedKeys.size === 0 ? key : (repairedKeys.get(key) ?? key)
}

/** The text's place in the arena, or that of a repaired copy at the arena's end. */
function keepText(reader: MsgpackReader, start: number, end: number): TextAt {
  if (isUtf8Range(reader.bytes, start, end)) return { start, length: end - start }
  const copy = builder.appendText(utf8Text(reader.bytes, start, end))
  return { start: copy, length: builder.textLength }
}
