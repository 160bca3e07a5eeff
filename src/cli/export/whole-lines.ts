/** Joins the pieces that the network delivers into whole lines of an export, and counts their rows. */

const lineFeed = 0x0a

/** Yields pieces of one or more whole lines each. Anything after the last line feed is dropped. */
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
 * Counts rows by a member that clew prints once in each row and nowhere else. A quote inside a JSON text has a
 * backslash before it, so a match can only be the member's name.
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
