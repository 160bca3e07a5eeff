/**
 * How the log stores messages of protocols without their own envelope: as received, with the sender's address.
 *   body    = { message }
 *   message = peerBytes u8 · peer (the sender's address as text, empty for the previous one)
 *           · bodyBytes u32, big-endian · body
 * Several messages that arrive together are one record, so that they need only one write to the disk.
 */
import { InputError } from '../../base/errors.ts'
import { utf8Text } from '../utf8.ts'

export interface PeerMessage {
  readonly peer: string
  readonly body: Uint8Array
}

/** Bytes that a message takes in addition to its body and its peer. */
export const messageOverheadBytes = 5

export function encodePeerMessages(messages: readonly PeerMessage[]): Uint8Array {
  let size = 0
  for (const { peer, body } of messages) size += messageOverheadBytes + peer.length + body.length
  const out = Buffer.allocUnsafe(size)
  let at = 0
  let last = ''
  for (const { peer, body } of messages) {
    const shown = peer === last ? '' : peer
    last = peer
    out[at++] = shown.length
    at += out.write(shown, at, 'latin1')
    at = out.writeUInt32BE(body.length, at)
    out.set(body, at)
    at += body.length
  }
  return out.subarray(0, at)
}

/** Calls `each` with the place of every message. Throws `InputError` when the body does not have this form. */
export function decodePeerMessages(bytes: Uint8Array, each: (peer: string, start: number, end: number) => void): void {
  let peer = ''
  let at = 0
  while (at < bytes.length) {
    const peerEnd = at + 1 + bytes[at]!
    if (peerEnd + 4 > bytes.length) throw cut(at)
    if (peerEnd > at + 1) peer = utf8Text(bytes, at + 1, peerEnd)
    const view = new DataView(bytes.buffer, bytes.byteOffset + peerEnd, 4)
    const start = peerEnd + 4
    const end = start + view.getUint32(0)
    if (end > bytes.length) throw cut(at)
    each(peer, start, end)
    at = end
  }
}

function cut(at: number): InputError {
  return new InputError('bad_request', `cannot decode messages: the body ends inside the one at byte ${at}`, {
    at: `byte ${at}`,
  })
}
