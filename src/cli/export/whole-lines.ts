/** Whole lines of an export out of the pieces that the network delivers, and how many rows they hold. */

const lineFeed = 0x0a

/** Pieces that end with a line, each of one or more whole lines. What comes after the last line feed is dropped. */
export async function* wholeLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let kept: Uint8Array[] = []
  for await (const piece of pieces) {
    const end = piece.lastIndexOf(lineFeed) + 1
    if (end > 0) {
      yield Buffer.concat([...kept, piece.subarray(0, end)])
      kept = []
    }
    if (end < piece.length) kept.push(piece.subarray(end))
  }
}

export interface RowCounts {
  spans: number
  records: number
}

/**
 * Counts rows by a member that clew prints in each and nowhere else. A quote in a JSON text has a backslash before it, so
 * what looks like a member's name before a colon is one.
 */
export function countRows(lines: Buffer, counts: RowCounts): void {
  counts.spans += occurrences(lines, '"startTimeUnixNano":')
  counts.records += occurrences(lines, '"observedTimeUnixNano":')
}

function occurrences(bytes: Buffer, text: string): number {
  let count = 0
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) count++
  return count
}
