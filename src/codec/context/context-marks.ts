/**
 * Whether bytes can name a trace at all (the forms are in text-reference.ts). Most lines name none, so they are looked at
 * without making text of them:
 *   names   all hold "race" or "b3", in either case
 *   forms   hold 16 hex digits in a row behind one of [ , - | so that one byte in 16 is enough to find them
 */

const words = ['race', 'RACE', 'b3', 'B3', 'Root=1-'].map((mark) => Buffer.from(mark))
/** Five calls into the system's search cost as much as this many bytes in a loop. */
const loopBytesMax = 512
const digitsMin = 16

const isHex = new Uint8Array(256)
for (const digit of '0123456789abcdefABCDEF') isHex[digit.charCodeAt(0)] = 1
const isBeforeForm = new Uint8Array(256)
for (const mark of '[,-|') isBeforeForm[mark.charCodeAt(0)] = 1

export function mentionsContext(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start <= loopBytesMax) return hasName(bytes, start, end) || hasForm(bytes, start, end)
  const part = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
  // The forms without a name stand in the head of a line, except X-Ray's.
  return hasForm(bytes, start, start + loopBytesMax) || words.some((word) => part.includes(word))
}

function hasName(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const letter = bytes[i]! | 0x20
    if (letter === 0x62 && i + 1 < end && bytes[i + 1] === 0x33) return true
    if (letter !== 0x63 || i < start + 2 || i + 1 >= end || (bytes[i + 1]! | 0x20) !== 0x65) continue
    if ((bytes[i - 1]! | 0x20) === 0x61 && (bytes[i - 2]! | 0x20) === 0x72) return true
  }
  return false
}

function hasForm(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start + digitsMin - 1; i < end; i += digitsMin) {
    if (isHex[bytes[i]!] === 0) continue
    let first = i
    while (first > start && isHex[bytes[first - 1]!] === 1) first--
    let behind = i + 1
    while (behind < end && isHex[bytes[behind]!] === 1) behind++
    if (behind - first >= digitsMin && first > start && isBeforeForm[bytes[first - 1]!] === 1) return true
    // Digits that were seen need not be seen again.
    if (behind > i + digitsMin) i = behind - 1
  }
  return false
}
