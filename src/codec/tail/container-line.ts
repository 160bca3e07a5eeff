/**
 * Lines of the log files that container runtimes write, which wrap what the program wrote:
 *   CRI (containerd, CRI-O)  time SP ( "stdout" | "stderr" ) SP ( "P" | "F" ) { ":" tag } SP content LF
 *   Docker's json-file       { "log": content, "stream": "stdout" | "stderr", …, "time": time } LF
 * A long line is written in pieces: all but the last are `P`, or have a `log` without a line end.
 */

export type Stream = 'stdout' | 'stderr'

export interface ContainerLine {
  /** RFC 3339. */
  readonly time: string
  readonly stream: Stream
  /** The line continues in the next one of its stream. */
  readonly isPart: boolean
  readonly content: string
  readonly isJson: boolean
  /** Docker's labels and environment, when it is configured to write them. */
  readonly attrs: Readonly<Record<string, string>>
}

const criHead =
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) (stdout|stderr) ([PF])(?::[\w:]{0,16})?(?: |$)/
/** Longer than any head. */
const headBytesMax = 80
const [logKey, streamKey] = [Buffer.from('"log"'), Buffer.from('"stream"')]
const [stdout, stderr] = [Buffer.from('"stdout"'), Buffer.from('"stderr"')]
const [letterT, letterN, openObject, backslash, quote, comma, colon] = [
  0x54, 0x6e, 0x7b, 0x5c, 0x22, 0x2c, 0x3a,
] as const

/** What a line means for the lines before and after it. */
export interface Piece {
  readonly stream: Stream
  readonly isPart: boolean
  /** Bytes before the content; 0 where finding the content needs reading the whole line. */
  readonly headBytes: number
}

/**
 * The line in [start, end) as a piece; `undefined` for any other line. Most lines need only two comparisons. The
 * encoding of the bytes must contain ASCII.
 */
export function pieceAt(bytes: Buffer, start: number, end: number): Piece | undefined {
  if (bytes[start] === openObject) return dockerPiece(bytes, start, end)
  return bytes[start + 10] === letterT && end - start > 20 ? criPiece(bytes, start, end) : undefined
}

function criPiece(bytes: Buffer, start: number, end: number): Piece | undefined {
  const text = bytes.toString('latin1', start, Math.min(end, start + headBytesMax)).replace(/\r?\n$/, '')
  const head = criHead.exec(text)
  return head === null ? undefined : { stream: head[1] as Stream, isPart: head[2] === 'P', headBytes: head[0].length }
}

/** Every quote inside a JSON string is escaped, so the key after the text can be searched for. */
function dockerPiece(bytes: Buffer, start: number, end: number): Piece | undefined {
  if (!isAt(bytes, behindSpace(bytes, start + 1), logKey)) return undefined
  const found = bytes.subarray(start, end).indexOf(streamKey)
  if (found < 0) return undefined
  const stream = streamAt(bytes, start + found + streamKey.length)
  // Go back over the comma, to the quote that ends the text.
  let textEnd = start + found - 1
  while (textEnd > start && (isSpace(bytes[textEnd]) || bytes[textEnd] === comma)) textEnd--
  if (stream === undefined || bytes[textEnd] !== quote) return undefined
  let escapes = textEnd - 1
  if (bytes[escapes] !== letterN) return { stream, isPart: true, headBytes: 0 }
  while (bytes[escapes - 1] === backslash) escapes--
  // An even number of backslashes belongs to the text.
  return { stream, isPart: (textEnd - 1 - escapes) % 2 === 0, headBytes: 0 }
}

function streamAt(bytes: Buffer, from: number): Stream | undefined {
  const colonAt = behindSpace(bytes, from)
  if (bytes[colonAt] !== colon) return undefined
  const at = behindSpace(bytes, colonAt + 1)
  return isAt(bytes, at, stdout) ? 'stdout' : isAt(bytes, at, stderr) ? 'stderr' : undefined
}

function behindSpace(bytes: Buffer, from: number): number {
  let at = from
  while (isSpace(bytes[at])) at++
  return at
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09
}

function isAt(bytes: Buffer, at: number, what: Buffer): boolean {
  for (let i = 0; i < what.length; i++) if (bytes[at + i] !== what[i]) return false
  return true
}

/** The whole line, parsed; `undefined` when it has none of these forms after all. */
export function parseContainerLine(line: string): ContainerLine | undefined {
  if (line.startsWith('{')) return parseDocker(line)
  const head = criHead.exec(line)
  if (head === null) return undefined
  const time = line.slice(0, line.indexOf(' '))
  const content = line.slice(head[0].length)
  return { time, stream: head[1] as Stream, isPart: head[2] === 'P', content, isJson: false, attrs: {} }
}

function parseDocker(line: string): ContainerLine | undefined {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    return undefined
  }
  const { log, stream, time, attrs } = json as Record<string, unknown>
  if (typeof log !== 'string' || typeof time !== 'string') return undefined
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  const isPart = !log.endsWith('\n')
  const content = isPart ? log : log.slice(0, -1)
  return { time, stream, isPart, content, isJson: true, attrs: textsOf(attrs) }
}

function textsOf(attrs: unknown): Record<string, string> {
  const entries = typeof attrs === 'object' && attrs !== null ? Object.entries(attrs) : []
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
