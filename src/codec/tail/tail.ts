/**
 * Pieces of tailed files as events; the form of the bytes is in `tail-body.ts`, the ends of events in
 * `event-splitter.ts`.
 */
import { isUtf8 } from 'node:buffer'
import { InputError, messageOf } from '../../base/errors.ts'
import { valueTypes } from '../../model/attribute-columns.ts'
import { bodyTypes, EventBatchBuilder } from '../../model/event-batch.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { slots } from '../record/fields.ts'
import { RecordRow } from '../record/record-row.ts'
import { readContainerEvent, type ContainerRecord, type StreamJoiners } from './container-event.ts'
import { pieceAt } from './container-line.ts'
import { splitEvents } from './event-splitter.ts'
import { makeJoiner, type LineJoiner } from './line-joiner.ts'
import { lineParserOf, type LineParser } from './line-parsers.ts'
import { decodeTailBody, type TailHeader } from './tail-body.ts'
import { readsContainers, type FileEncoding } from './tail-format.ts'

export const tail: Codec = { name: 'tail', signal: 'events', decode }

const builder = new EventBatchBuilder()
const record = new RecordRow(builder)

function decode(body: Uint8Array, context: DecodeContext): Decoded {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const { header, start } = decodeTailBody(bytes)
  const { parser, joiner, joiners } = compile(header)
  const { encoding } = header.format
  const content = bytes.subarray(start)
  builder.reset('tail', body)
  record.reset()
  record.setDefaults({ service: header.service, host: header.host })
  const piece: Piece = {
    bytes,
    header,
    parser,
    joiners,
    isPlainText: encoding === 'utf-8' && isUtf8(content),
    pathKey: record.keyOf('log.file.path'),
    pathStart: builder.appendText(header.path),
    pathBytes: builder.textLength,
    context,
  }
  let from = start
  for (const end of splitEvents(content, {
    joiner,
    encoding,
    readsContainers: joiners !== undefined,
    isQuiet: true,
    isEnd: true,
  })) {
    putEvent(piece, from, start + end)
    from = start + end
  }
  return { batch: builder.finish(), rejected: 0, rejectedReason: '' }
}

interface Compiled {
  readonly parser: LineParser
  readonly joiner: LineJoiner | undefined
  /** `undefined` where lines of container runtimes are treated like any other line. */
  readonly joiners: StreamJoiners | undefined
}

function compile({ format }: TailHeader): Compiled {
  try {
    const [joiner, stdout, stderr] = [makeJoiner(format.join), makeJoiner(format.join), makeJoiner(format.join)]
    const joiners = readsContainers(format.parser) ? { stdout, stderr } : undefined
    return { parser: lineParserOf(format.parser, format.pattern), joiner, joiners }
  } catch (error) {
    throw new InputError('bad_request', `cannot decode tailed bytes: ${messageOf(error)}`, { cause: error })
  }
}

interface Piece {
  readonly bytes: Buffer
  readonly header: TailHeader
  readonly parser: LineParser
  readonly joiners: StreamJoiners | undefined
  /** The bytes are valid text for the batch, so a body can stay in place. */
  readonly isPlainText: boolean
  readonly pathKey: number
  /** Where the path is in the arena, once for all rows. */
  readonly pathStart: number
  readonly pathBytes: number
  readonly context: DecodeContext
}

function putEvent(piece: Piece, from: number, to: number): void {
  const { bytes, header } = piece
  const { encoding } = header.format
  const [start, end] = trimmed(bytes, from, to, encoding)
  if (start === end) return
  const text = textOf(bytes.subarray(start, end), encoding)
  if (piece.joiners !== undefined && encoding !== 'utf-16le' && pieceAt(bytes, start, end) !== undefined) {
    const records = readContainerEvent(text, piece.joiners)
    if (records !== undefined) return records.forEach((each) => putContainerRecord(piece, each))
  }
  beginRow(piece)
  if (!piece.parser(text, record)) record.putAttribute('log.unparsed', { type: 'bool', value: true })
  const { row } = record
  if (!hasBody()) {
    if (piece.isPlainText) {
      builder.bodyTypes[row] = bodyTypes.string
      builder.bodies[row * 2] = start
      builder.bodies[row * 2 + 1] = end - start
    } else record.setBody(text)
  }
  endRow(piece)
}

/** The content of a container's line, read like a line of a file; the time is the runtime's. */
function putContainerRecord(piece: Piece, { stream, time, text, isJson, attrs }: ContainerRecord): void {
  if (text === '') return
  beginRow(piece)
  record.putAttribute('log.iostream', { type: 'string', value: stream })
  const labels = Object.entries(attrs).map(([key, value]) => ({ key, value: { type: 'string', value } as const }))
  if (labels.length > 0) record.putAttribute('attrs', { type: 'map', value: labels })
  const isParsed = piece.parser(text, record)
  if (!isParsed && !isJson) record.putAttribute('log.unparsed', { type: 'bool', value: true })
  if (!hasBody()) record.setBody(text)
  if (time > 0n) record.setTime(time)
  endRow(piece)
}

function beginRow({ header, pathKey, pathStart, pathBytes }: Piece): void {
  record.begin()
  if (header.type !== '') record.setType(header.type)
  builder.attributes.add(pathKey, valueTypes.string, pathStart, pathBytes)
}

function hasBody(): boolean {
  return builder.bodyTypes[record.row] !== bodyTypes.empty || record.values.has(slots.body)
}

function endRow({ context }: Piece): void {
  const { row } = record
  record.end(context.receivedAtMs)
  // Records without their own time keep the order of their lines, a nanosecond apart.
  if (builder.timeGiven[row] === 0)
    builder.setTimes(row, 0n, BigInt(Math.round(context.receivedAtMs)) * 1_000_000n + BigInt(row), 0n)
}

const lineFeed = 10
const carriageReturn = 13

/**
 * Without trailing line ends and empty lines, leading zeros (a file truncated while written) and the byte order mark.
 */
function trimmed(bytes: Buffer, from: number, to: number, encoding: FileEncoding): [number, number] {
  let [start, end] = [from, to]
  if (encoding === 'utf-16le') {
    const isLineEnd = (at: number) => bytes[at + 1] === 0 && (bytes[at] === lineFeed || bytes[at] === carriageReturn)
    while (end - start >= 2 && isLineEnd(end - 2)) end -= 2
    while (end - start >= 2 && bytes[start] === 0 && bytes[start + 1] === 0) start += 2
    if (end - start >= 2 && bytes[start] === 0xff && bytes[start + 1] === 0xfe) start += 2
    return [start, end]
  }
  while (end > start && (bytes[end - 1] === lineFeed || bytes[end - 1] === carriageReturn)) end--
  while (end > start && bytes[start] === 0) start++
  if (
    encoding === 'utf-8' &&
    end - start >= 3 &&
    bytes[start] === 0xef &&
    bytes[start + 1] === 0xbb &&
    bytes[start + 2] === 0xbf
  )
    start += 3
  return [start, end]
}

/** Bytes that are invalid in the encoding become U+FFFD; the tailer counts them. */
function textOf(bytes: Buffer, encoding: FileEncoding): string {
  if (encoding === 'utf-16le') return bytes.toString('utf16le').toWellFormed()
  return bytes.toString(encoding === 'latin1' ? 'latin1' : 'utf8')
}
