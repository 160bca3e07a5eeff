/**
 * Plain events: what any program can write to a socket.
 *   line   = JSON object | JSON array of events | text
 *   event  = JSON object | JSON string
 * The body has three forms, with a codec each:
 *   lines        messages with their sender (framing/peer-messages.ts), each one line
 *   events-json  JSON values one after another, with or without line ends between them; an invalid one is rejected
 *   events-text  lines
 * A line that only resembles JSON is text: nothing a program prints is refused. Keys with a known meaning (time, type,
 * source, severity, message, trace ids) become columns, see record/fields.ts; the others stay attributes.
 */
import { InputError } from '../../base/errors.ts'
import { bodyTypes, EventBatchBuilder } from '../../model/event-batch.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { decodePeerMessages } from '../framing/peer-messages.ts'
import { putObject } from '../json/json-record.ts'
import { closeArray, closeObject, comma, openArray, openObject, quote } from '../json/json-scanner.ts'
import { JsonValueReader, objectsMax, type ObjectBudget } from '../json/value-reader.ts'
import { RecordRow } from '../record/record-row.ts'
import { isUtf8Range, utf8Text, validText } from '../utf8.ts'

export const lines: Codec = { name: 'lines', signal: 'events', decode: decodeLines }
export const eventsJson: Codec = { name: 'events-json', signal: 'events', decode: decodeJson }
export const eventsText: Codec = { name: 'events-text', signal: 'events', decode: decodeText }

const builder = new EventBatchBuilder()
const record = new RecordRow(builder)

interface Progress {
  readonly receivedAtMs: number
  readonly budget: ObjectBudget
  peer: string
  rejected: number
  reason: string
}

function begin(body: Uint8Array, receivedAtMs: number): Progress {
  builder.reset('lines', body)
  record.reset()
  return { receivedAtMs, budget: { left: objectsMax }, peer: '', rejected: 0, reason: '' }
}

function finish({ rejected, reason }: Progress): Decoded {
  return { batch: builder.finish(), rejected, rejectedReason: reason }
}

/** With more invalid events than this, the body is not a body of events. */
const wrongEventsMax = 100_000

/** Counts an invalid event. Throws when there are so many that the body can hardly contain events. */
function refuse(progress: Progress, error: unknown): void {
  if (!(error instanceof InputError) || error.code === 'too_large') throw error
  if (progress.rejected >= wrongEventsMax) {
    const message = `cannot take a request of more than ${wrongEventsMax} wrong events; the first: ${progress.reason}`
    throw new InputError('too_large', message)
  }
  if (progress.rejected++ === 0) progress.reason = error.message
}

function decodeLines(body: Uint8Array, { receivedAtMs }: DecodeContext): Decoded {
  const progress = begin(body, receivedAtMs)
  decodePeerMessages(body, (peer, start, end) => {
    if (peer !== progress.peer) record.setDefaults({ service: '', host: peer })
    progress.peer = peer
    decodeLine(body, { start, end }, progress)
  })
  return finish(progress)
}

function decodeText(body: Uint8Array, { receivedAtMs }: DecodeContext): Decoded {
  const progress = begin(body, receivedAtMs)
  for (let start = 0; start < body.length;) {
    const found = body.indexOf(0x0a, start)
    const end = found < 0 ? body.length : found
    decodeLine(body, { start, end }, progress)
    start = end + 1
  }
  return finish(progress)
}

function decodeJson(body: Uint8Array, { receivedAtMs }: DecodeContext): Decoded {
  const bytes = validText(body)
  const progress = begin(bytes, receivedAtMs)
  const reader = new JsonValueReader(bytes, undefined, progress.budget)
  while (reader.peek() !== -1) {
    // The first byte of a record of a JSON text sequence (RFC 7464).
    if (reader.take(recordSeparator)) continue
    const start = reader.at
    try {
      if (reader.peek() === openArray) putArray(reader, progress)
      else putEvent(reader, progress)
      reader.take(comma)
    } catch (error) {
      refuse(progress, error)
      reader.at = nextEventAt(bytes, Math.max(start, reader.at))
    }
  }
  return finish(progress)
}

/**
 * Where the next line begins that can be an event of its own. Indented lines, and lines that start with a closing
 * bracket, belong to the invalid event.
 */
function nextEventAt(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0x0a, from); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
    const first = bytes[at + 1]
    if (first === undefined || !insideEvent.includes(first)) return at + 1
  }
  return bytes.length
}

const insideEvent: readonly number[] = [0x20, 0x09, 0x0a, 0x0d, comma, closeObject, closeArray]
const recordSeparator = 0x1e

/** Bytes of a byte order mark at `at`, which is not part of the text. */
function markBytes(bytes: Uint8Array, at: number): number {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf ? 3 : 0
}

interface Range {
  readonly start: number
  readonly end: number
}

function decodeLine(body: Uint8Array, line: Range, progress: Progress): void {
  const { start, end } = trimmed(body, line)
  if (start === end) return
  if (isUtf8Range(body, start, end)) return putLine(body, { start, end }, progress)
  const repaired = builder.appendText(utf8Text(body, start, end))
  putLine(builder.arena.bytes, { start: repaired, end: repaired + builder.textLength }, progress)
}

/** `bytes` holds the line at its place in the arena. */
function putLine(bytes: Uint8Array, line: Range, progress: Progress): void {
  let begin = line.start
  while (isSpace(bytes[begin]!)) begin++
  const first = bytes[begin]
  const rows = builder.rows
  if (first === openObject || first === openArray) {
    const reader = new JsonValueReader(bytes, line, progress.budget)
    const rejected = progress.rejected
    try {
      if (first === openArray) putArray(reader, progress)
      else putEvent(reader, progress)
      const isAllEvents = builder.rows > rows && progress.rejected === rejected
      if (reader.peek() === -1 && isAllEvents) return
    } catch (error) {
      if (!(error instanceof InputError)) throw error
    }
    // Part of it was JSON, or it was JSON but no event: the whole line stays one event, as text.
    progress.rejected = rejected
    builder.truncate(rows)
  }
  try {
    record.begin()
    builder.bodyTypes[record.row] = bodyTypes.string
    builder.bodies[record.row * 2] = line.start
    builder.bodies[record.row * 2 + 1] = line.end - line.start
    endRow(progress)
  } catch (error) {
    record.drop()
    refuse(progress, error)
  }
}

/** An array of events: an invalid one is counted and skipped. Throws when the array itself is broken. */
function putArray(reader: JsonValueReader, progress: Progress): void {
  reader.elements(() => {
    const start = reader.at
    try {
      putEvent(reader, progress)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      reader.at = start
      // Fails when the array ends inside it: then the array is broken.
      reader.skipLoosely()
      refuse(progress, error)
    }
  })
}

function putEvent(reader: JsonValueReader, progress: Progress): void {
  try {
    record.begin()
    const next = reader.peek()
    if (next === openObject) putObject(reader, record)
    else if (next === quote) record.setBody(reader.stringText())
    else reader.fail(`an event is neither an object nor a string at byte ${reader.at}`)
    endRow(progress)
  } catch (error) {
    record.drop()
    throw error
  }
}

function endRow(progress: Progress): void {
  if (progress.peer !== '') record.putAttribute('network.peer.address', { type: 'string', value: progress.peer })
  record.end(progress.receivedAtMs)
}

/** Without a byte order mark and without trailing white space and zeros; leading spaces are part of the text. */
function trimmed(bytes: Uint8Array, { start, end }: Range): Range {
  const first = start + markBytes(bytes, start)
  let last = end
  while (last > first && isSpace(bytes[last - 1]!)) last--
  return { start: Math.min(first, last), end: last }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a || byte === 0
}
