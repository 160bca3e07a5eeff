/**
 * Protocol Buffers wire format, the writing half (grammar: `wire.ts`), for small messages: each function returns the
 * bytes of one field, and a message is its fields joined. Defaults (0, '') are left out, as in proto3.
 */

const none = Buffer.alloc(0)

export function message(...fields: readonly Uint8Array[]): Buffer {
  return fields.length === 1 ? Buffer.from(fields[0]!) : Buffer.concat(fields)
}

export function varintField(field: number, value: number | bigint): Uint8Array {
  const number = BigInt(value)
  return number === 0n ? none : Buffer.from([...varint(BigInt(field << 3)), ...varint(number)])
}

export function textField(field: number, text: string): Uint8Array {
  return text === '' ? none : bytesField(field, Buffer.from(text))
}

export function doubleField(field: number, value: number): Uint8Array {
  if (value === 0) return none
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([Buffer.from(varint(BigInt((field << 3) | 1))), bytes])
}

/** Writes empty bytes too: an empty message is not the same as none. */
export function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([...varint(BigInt((field << 3) | 2)), ...varint(BigInt(bytes.length))]), bytes])
}

function varint(value: bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return bytes
}
