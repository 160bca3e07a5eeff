/** The formats of OTLP files, recognised by their first bytes. One row per format. */
import { zstdDecompressSync } from 'node:zlib'
import { InputError, messageOf } from '../../base/errors.ts'
import type { ChunkReader } from './chunk-reader.ts'
import { countRecords } from './grammar.ts'
import type { Element, Signal } from './grammar.ts'
import { arrayNames, elementsOf, jsonGrammar, membersOf } from './json-grammar.ts'
import { protobufGrammar, protobufSignal, readVarint } from './protobuf-grammar.ts'

/** Largest JSON document, protobuf element or frame. Lines of the Collector's file exporter are far smaller. */
export const documentBytesMax = 1 << 30

/** A part of the file that could not be read although the rest could. */
export interface FileFault {
  readonly message: string
}

export type FileItem = { readonly element: Element } | { readonly fault: FileFault }

interface FileFormat {
  readonly name: string
  /** `first` holds up to `firstBytes` bytes. */
  matches(first: Uint8Array): boolean
  items(reader: ChunkReader, file: string): AsyncGenerator<FileItem>
}

export const firstBytes = 256

const fileFormats: readonly FileFormat[] = [
  {
    name: 'OTLP JSON: one document, or one a line',
    matches: (first) => /^(\u00ef\u00bb\u00bf)?\s*\{/.test(Buffer.from(first).toString('latin1')),
    items: jsonItems,
  },
  {
    name: "frames of the Collector's file exporter: a length of 4 bytes, then OTLP protobuf or JSON, maybe zstd",
    matches: (first) =>
      first.length > 8 &&
      first[0] === 0 &&
      (isProtobuf(first.subarray(4)) || isZstd(first.subarray(4)) || first[4] === 0x7b),
    items: frameItems,
  },
  { name: 'OTLP protobuf', matches: isProtobuf, items: protobufItems },
]

/** Elements of a file in order. Throws `InputError` for an unknown format, or when the rest of the file is unreadable. */
export async function* readItems(reader: ChunkReader, file: string): AsyncGenerator<FileItem> {
  const first = await reader.peek(firstBytes)
  if (first.length === 0) return
  const format = fileFormats.find((row) => row.matches(first))
  if (format === undefined) {
    const names = fileFormats.map((row) => row.name).join('; ')
    throw new InputError(
      'unsupported_media_type',
      `it is none of what clew imports (${names}; each plain, gzip or zstd)`,
    )
  }
  yield* format.items(reader, file)
}

function isProtobuf(first: Uint8Array): boolean {
  return first[0] === 0x0a // field 1, length-delimited
}

function hasByteOrderMark(first: Uint8Array): boolean {
  return first[0] === 0xef && first[1] === 0xbb && first[2] === 0xbf
}

function isZstd(first: Uint8Array): boolean {
  return first[0] === 0x28 && first[1] === 0xb5 && first[2] === 0x2f && first[3] === 0xfd
}

/**
 * A document may fill one line, as the file exporter writes it, or several. Brackets are counted line by line, which is
 * exact because JSON texts contain no raw line breaks. After a broken line, reading continues at the next line that
 * starts a document.
 */
async function* jsonItems(reader: ChunkReader, file: string): AsyncGenerator<FileItem> {
  let pending: Uint8Array[] = []
  let depth = 0
  let start = 0
  let bytes = 0
  if (hasByteOrderMark(await reader.peek(3))) await reader.take(3)
  const fault = (): FileItem => ({ fault: { message: `cannot import ${file}: broken JSON document at byte ${start}` } })
  for (let offset = reader.offset, line; (line = await reader.takeLine()) !== undefined; offset = reader.offset) {
    const opens = bracketDepth(line)
    if (pending.length > 0 && opens === 0 && startsDocument(line)) {
      yield fault()
      pending = []
    }
    if (pending.length === 0) [start, depth, bytes] = [offset, 0, 0]
    if (pending.length === 0 && Buffer.from(line).toString('latin1', 0, 64).trim() === '' && line.length < 64) continue
    pending.push(line)
    depth += opens
    bytes += line.length
    if (bytes > documentBytesMax)
      throw new InputError('too_large', `a JSON document of over ${documentBytesMax} bytes at byte ${start}`)
    if (depth > 0) continue
    yield* documentItems(joinLines(pending), file, start)
    pending = []
  }
  if (pending.length > 0) yield fault()
}

function joinLines(lines: readonly Uint8Array[]): Uint8Array {
  const [only] = lines
  return only !== undefined && lines.length === 1 ? only : Buffer.concat(lines)
}

/** Opening minus closing brackets outside of strings. */
function bracketDepth(line: Uint8Array): number {
  let depth = 0
  for (let at = 0; at < line.length; at += 1) {
    const byte = line[at]
    if (byte === 0x22) {
      for (at += 1; at < line.length && line[at] !== 0x22; at += 1) if (line[at] === 0x5c) at += 1
    } else if (byte === 0x7b || byte === 0x5b) depth += 1
    else if (byte === 0x7d || byte === 0x5d) depth -= 1
  }
  return depth
}

function startsDocument(line: Uint8Array): boolean {
  return /^\s*\{\s*"resource(Spans|Logs|Metrics)"/.test(Buffer.from(line.subarray(0, 64)).toString('latin1'))
}

function* documentItems(document: Uint8Array, file: string, start: number): Generator<FileItem> {
  const place = `${file}: byte ${start}`
  try {
    const elements = jsonElements(document, place)
    for (const element of elements) yield { element }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    yield { fault: { message: `cannot import ${file}: document at byte ${start}: ${messageOf(error)}` } }
  }
}

function jsonElements(body: Uint8Array, place: string): Element[] {
  const elements: Element[] = []
  const members = membersOf(body)
  for (const [signal, [name]] of Object.entries(arrayNames) as [Signal, readonly string[]][]) {
    const array = members.find((member) => member.name === name)
    if (array === undefined) continue
    for (const bytes of elementsOf(body.subarray(array.start, array.end))) {
      elements.push({ signal, grammar: jsonGrammar, bytes, records: countRecords(jsonGrammar, bytes, signal), place })
    }
  }
  const isOtlp = members.length === 0 || members.some((member) => /^resource(Spans|Logs|Metrics)$/.test(member.name))
  if (!isOtlp) {
    const found = members.slice(0, 3).map((member) => member.name)
    throw new InputError('unsupported_media_type', `expected resourceSpans or resourceLogs, found ${found.join(', ')}`)
  }
  return elements
}

async function* frameItems(reader: ChunkReader, file: string): AsyncGenerator<FileItem> {
  while ((await reader.peek(1)).length > 0) {
    const start = reader.offset
    const length = Buffer.from(await reader.take(4)).readUInt32BE()
    const frame = await reader.take(length)
    const payload = isZstd(frame) ? zstdDecompressSync(frame, { maxOutputLength: documentBytesMax }) : frame
    if (payload[0] === 0x7b) yield* documentItems(payload, file, start)
    else {
      const memory = new MemoryReader(payload)
      yield* protobufItems(memory, file, start)
    }
  }
}

/** Input of `protobufItems`: a file or a frame of it. */
type ByteSource = Pick<ChunkReader, 'peek' | 'take' | 'offset'>

class MemoryReader implements ByteSource {
  readonly #bytes: Uint8Array
  offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  async peek(count: number): Promise<Uint8Array> {
    return this.#bytes.subarray(this.offset, this.offset + count)
  }

  async take(count: number): Promise<Uint8Array> {
    const bytes = await this.peek(count)
    if (bytes.length < count) throw new InputError('unsupported_media_type', 'a frame ends too early')
    this.offset += count
    return bytes
  }
}

/** Concatenated requests form one request, because repeated fields add up. So nothing marks where a request ends. */
async function* protobufItems(reader: ByteSource, file: string, base = 0): AsyncGenerator<FileItem> {
  let signal: Signal = 'traces'
  for (let head; (head = await reader.peek(11)).length > 0;) {
    const start = base + reader.offset
    if (!isProtobuf(head)) {
      throw new InputError(
        'unsupported_media_type',
        `broken OTLP protobuf at byte ${start}: expected field 1 (ResourceSpans or ResourceLogs)`,
      )
    }
    const { value, end } = readVarint(head, 1)
    await reader.take(end)
    const bytes = await reader.take(Number(value))
    try {
      signal = protobufSignal(bytes) ?? signal
      const records = countRecords(protobufGrammar, bytes, signal)
      yield { element: { signal, grammar: protobufGrammar, bytes, records, place: `${file}: byte ${start}` } }
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      yield { fault: { message: `cannot import ${file}: element at byte ${start}: ${messageOf(error)}` } }
    }
  }
}
