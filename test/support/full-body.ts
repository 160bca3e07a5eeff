/** Bodies of nearly the largest size that is taken, made of one piece over and over. */

/** Just under the limit of 64 MiB on a body. */
export const fullBytes = 63 * 2 ** 20

export function repeated(piece: Uint8Array): Buffer {
  return Buffer.alloc(Math.floor(fullBytes / piece.length) * piece.length, piece)
}

/** Pieces of text between `head` and `tail`; a comma at the end of the last piece is left out. */
export function repeatedText(piece: string, head = '', tail = ''): Buffer {
  const middle = repeated(Buffer.from(piece))
  const end = middle.length - (piece.endsWith(',') ? 1 : 0)
  return Buffer.concat([Buffer.from(head), middle.subarray(0, end), Buffer.from(tail)])
}
