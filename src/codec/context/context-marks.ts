/**
 * Whether bytes can name a trace at all. Most lines name none, so they are looked at without making text of them: one table
 * read a byte, and a look around at the few bytes that stand in context (text-reference.ts has the forms).
 */

/** Words that stand in the names of context. Five calls into the system's search cost as much as `loopBytesMax` in a loop. */
const words = ['race', 'RACE', 'b3', 'B3', 'Root=1-'].map((mark) => Buffer.from(mark))
/** The other forms without a name stand in the head of a line; a longer text is looked at so far byte by byte. */
const loopBytesMax = 512

const [comma, dash, equals, bracket, letterB, letterC, bar] = [0x2c, 0x2d, 0x3d, 0x5b, 0x62, 0x63, 0x7c] as const

/** The byte itself where a mark may be, in lower case; 0 everywhere else. */
const marks = new Uint8Array(256)
for (const byte of [comma, dash, equals, bracket, letterB, letterC, bar]) marks[byte] = byte
marks[0x42] = letterB
marks[0x43] = letterC

/** What is read behind `end` may only cost a search that finds nothing. */
export function mentionsContext(bytes: Uint8Array, start: number, end: number): boolean {
  const loopEnd = Math.min(end, start + loopBytesMax)
  for (let i = start; i < loopEnd; i++) {
    const mark = marks[bytes[i]!]!
    if (mark !== 0 && isContext(bytes, i, mark)) return true
  }
  if (loopEnd === end) return false
  // A word may begin in what the loop has seen.
  const rest = Buffer.from(bytes.buffer, bytes.byteOffset + loopEnd - 6, end - loopEnd + 6)
  return words.some((word) => rest.includes(word))
}

function isContext(bytes: Uint8Array, i: number, mark: number): boolean {
  switch (mark) {
    case letterC:
      return (bytes[i + 1]! | 0x20) === 0x65 && (bytes[i - 1]! | 0x20) === 0x61 && (bytes[i - 2]! | 0x20) === 0x72
    case letterB:
      return bytes[i + 1] === 0x33
    case comma:
      return bytes[i + 17] === comma || bytes[i + 33] === comma
    case bracket:
      return bytes[i + 33] === dash && bytes[i + 50] === 0x5d
    case dash:
      return bytes[i + 33] === dash && bytes[i + 50] === dash
    case bar:
      return bytes[i + 33] === 0x2e
    default:
      // Root=1-
      return bytes[i + 1] === 0x31 && bytes[i + 2] === dash
  }
}
