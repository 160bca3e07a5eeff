/** IP addresses as text (RFC 5952 for version 6) from the bytes that protobuf and thrift carry. */

/** '' unless there are 4 bytes. */
export function printIpv4(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join('.') : ''
}

/** '' unless there are 16 bytes. */
export function printIpv6(bytes: Uint8Array): string {
  if (bytes.length !== 16) return ''
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2]! << 8) | bytes[i * 2 + 1]!).toString(16))
  const { start, length } = longestZeros(groups)
  // A single zero group stays as it is (RFC 5952 §4.2.2).
  if (length < 2) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === '0') continue
    if (i - start > best.length) best = { start, length: i - start }
    start = i + 1
  }
  return best
}
