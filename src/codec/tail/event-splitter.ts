/**
 * Cuts the bytes of a file into events: lines, or several lines that belong together.
 *
 *   file  = { line }        line = { byte } ( LF | CRLF )
 *   event = line { line that continues it }        ; the pieces of a container's long line are one line
 *
 * A pure function that looks only ahead, so the tailer (which sees a file grow) and the decoder (which sees the bytes
 * that the tailer cut) find the same events. An event of more than `eventBytesMax` is cut there and continues as
 * another event.
 */
import { pieceAt, type Piece } from './container-line.ts'
import { classifiedCharsMax, type LineJoiner } from './line-joiner.ts'
import type { FileEncoding } from './tail-format.ts'

/** Even, so that it never separates the two bytes of a UTF-16 unit. */
export const eventBytesMax = 256 * 1024

export interface SplitOptions {
  readonly joiner: LineJoiner | undefined
  readonly encoding: FileEncoding
  /** Whether lines wrapped by container runtimes are recognised (container-line.ts). */
  readonly readsContainers: boolean
  /** Nothing more will come soon: an event that could still continue is complete. */
  readonly isQuiet: boolean
  /** Nothing more will ever come: a last line without its line end is complete. Includes `isQuiet`. */
  readonly isEnd: boolean
}

/** Where the complete events end, ascending: event i is [ends[i - 1] or 0, ends[i]). */
export function splitEvents(bytes: Buffer, options: SplitOptions): number[] {
  const { joiner, encoding, isEnd } = options
  const readsPieces = options.readsContainers && encoding !== 'utf-16le'
  const ends: number[] = []
  let eventStart = 0
  /** One bit per stream with an incomplete line. */
  let open = 0
  for (let at = 0; at < bytes.length;) {
    let lineEnd = lineEndAfter(bytes, at, encoding)
    const isWhole = lineEnd > 0
    if (!isWhole) lineEnd = bytes.length
    const isTooLong = lineEnd - at > eventBytesMax
    if (!isWhole && !isTooLong && !isEnd) break
    const piece = readsPieces ? pieceAt(bytes, at, lineEnd) : undefined
    const isTooMuch = isTooLong || lineEnd - eventStart > eventBytesMax
    const line: Line = { start: at + (piece?.headBytes ?? 0), end: lineEnd }
    if (at > eventStart && (isTooMuch || !(open === 0 ? joins(bytes, line, options) : piece !== undefined))) {
      ends.push(at)
      eventStart = at
      open = 0
    }
    if (isTooLong) {
      open = 0
      at = eventStart = pieceEnd(bytes, at, encoding)
      ends.push(at)
      continue
    }
    if (at === eventStart) joiner?.begin(lineText(bytes, line, encoding))
    open = openAfter(open, piece)
    at = lineEnd
    if (joiner === undefined && open === 0) {
      ends.push(at)
      eventStart = at
    }
  }
  const lastWhole = isEnd ? bytes.length : lastLineEnd(bytes, eventStart, encoding)
  if ((options.isQuiet || isEnd) && lastWhole > eventStart) ends.push(lastWhole)
  return ends
}

/** A line without the head that a container runtime added. */
interface Line {
  readonly start: number
  readonly end: number
}

function joins(bytes: Buffer, line: Line, { joiner, encoding }: SplitOptions): boolean {
  return joiner !== undefined && joiner.continues(lineText(bytes, line, encoding))
}

function openAfter(open: number, piece: Piece | undefined): number {
  if (piece === undefined) return 0
  const bit = piece.stream === 'stdout' ? 1 : 2
  return piece.isPart ? open | bit : open & ~bit
}

/** Where the line that starts at `at` ends, including its line end; 0 when the line end has not arrived. */
function lineEndAfter(bytes: Buffer, at: number, encoding: FileEncoding): number {
  if (encoding !== 'utf-16le') return bytes.indexOf(10, at) + 1
  for (let found = bytes.indexOf(10, at); found >= 0; found = bytes.indexOf(10, found + 1)) {
    // U+0A00 … U+0AFF have the same byte in the other place.
    if ((found - at) % 2 === 0 && found + 1 < bytes.length && bytes[found + 1] === 0) return found + 2
  }
  return 0
}

function lastLineEnd(bytes: Buffer, from: number, encoding: FileEncoding): number {
  let at = from
  for (let end = lineEndAfter(bytes, at, encoding); end > 0; end = lineEndAfter(bytes, at, encoding)) at = end
  return at
}

/** The line without its line end, cut to the length that rules look at. */
function lineText(bytes: Buffer, { start, end }: Line, encoding: FileEncoding): string {
  const width = encoding === 'utf-16le' ? 2 : 1
  const stop = Math.min(end, start + classifiedCharsMax * width)
  const text = bytes.toString(
    encoding === 'utf-16le' ? 'utf16le' : encoding === 'latin1' ? 'latin1' : 'utf8',
    start,
    stop,
  )
  return text.replace(/\r?\n$/, '')
}

/** End of the first piece of a line that is too long, not inside a character. */
function pieceEnd(bytes: Buffer, start: number, encoding: FileEncoding): number {
  const end = start + eventBytesMax
  // A piece must not begin with the second half of a surrogate pair.
  if (encoding === 'utf-16le') return (bytes[end + 1]! & 0xfc) === 0xdc ? end - 2 : end
  if (encoding !== 'utf-8') return end
  for (let back = 0; back < 4; back++) if ((bytes[end - back]! & 0xc0) !== 0x80) return end - back
  return end
}
