/**
 * Whether bytes can name a trace at all (the forms are in text-reference.ts). Most lines name none, so they are checked
 * without turning them into strings:
 *   names   all contain "race" or "b3", in either case
 *   forms   contain 16 hex digits in a row after one of [ , - | so it is enough to look at every 16th byte
 */

const words = ['race', 'RACE', 'b3', 'B3', 'Root=1-'].map((mark) => Buffer.from(mark))
/** Five calls of the native search take as long as this many bytes in a loop. */
const loopBytesMax = 512
const digitsMin = 16

const isHex = new Uint8Array(256)
for (const digit of '0123456789abcdefABCDEF') isHex[digit.charCodeAt(0)] = 1
const isBeforeForm = new Uint8Array(256)
for (const mark of '[,-|') isBeforeForm[mark.charCodeAt(0)] = 1

export function mentionsContext(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start <= loopBytesMax) return hasName(bytes, start, end) || hasForm(bytes, start, end)
  const part = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
  // The forms without a name are at the start of a line, except X-Ray's.
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
    // Digits that were seen need not be checked again.
    if (behind > i + digitsMin) i = behind - 1
  }
  return false
}
