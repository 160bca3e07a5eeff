/**
 * Replies of a Forward server in MessagePack (Forward Protocol Specification v1, "Handshake Messages" and "Response"):
 *   HELO = ["HELO", {"nonce": bin, "auth": bin, "keepalive": true}]      ; auth is empty when no user is required
 *   PONG = ["PONG", ok, reason, server host, hex sha512(salt host nonce key)]
 *   ack  = {"ack": chunk}
 */
type Packable = string | boolean | Uint8Array | readonly Packable[] | { readonly [key: string]: Packable }

export function encodeHelo(nonce: Uint8Array, auth: Uint8Array): Uint8Array {
  return Buffer.concat(pack(['HELO', { nonce, auth, keepalive: true }]))
}

export function encodePong(ok: boolean, reason: string, host: string, digest: string): Uint8Array {
  return Buffer.concat(pack(['PONG', ok, reason, host, digest]))
}

export function encodeAck(chunk: string): Uint8Array {
  return Buffer.concat(pack({ ack: chunk }))
}

/** Lists and maps here have fewer than 16 entries. */
function pack(value: Packable): Buffer[] {
  if (typeof value === 'boolean') return [Buffer.from([value ? 0xc3 : 0xc2])]
  if (typeof value === 'string') return sized(Buffer.from(value), 0xa0, 0xd9)
  if (value instanceof Uint8Array) return sized(value, -1, 0xc4)
  if (Array.isArray(value)) return [Buffer.from([0x90 + value.length]), ...value.flatMap(pack)]
  const entries = Object.entries(value as Record<string, Packable>)
  return [Buffer.from([0x80 + entries.length]), ...entries.flatMap(([key, inner]) => [...pack(key), ...pack(inner)])]
}

/** First bytes: `fixed` of the form with the length in it (-1 for none), `wide` of the form with a one-byte length. */
function sized(bytes: Uint8Array, fixed: number, wide: number): Buffer[] {
  const { length } = bytes
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, length)
  if (fixed >= 0 && length < 32) return [Buffer.from([fixed + length]), body]
  if (length < 0x100) return [Buffer.from([wide, length]), body]
  const head = Buffer.alloc(length < 0x10000 ? 3 : 5)
  head[0] = wide + (length < 0x10000 ? 1 : 2)
  if (length < 0x10000) head.writeUInt16BE(length, 1)
  else head.writeUInt32BE(length, 1)
  return [head, body]
}
