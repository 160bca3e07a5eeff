/** The SHA-1 of a record's body, by which retries are recognised and damage is found. */
import { createHash, hash as digest } from 'node:crypto'
import { Turn } from '../../base/turn.ts'

/** Hashing this much takes some four milliseconds. */
const pieceBytes = 1 << 22

/**
 * Returns 20 bytes, or a promise of them for a large body, which is hashed in turns. The body must not change until
 * then.
 */
export function bodyHash(body: Uint8Array): Buffer | Promise<Buffer> {
  return body.length <= pieceBytes ? digest('sha1', body, 'buffer') : hashInTurns(body)
}

async function hashInTurns(body: Uint8Array): Promise<Buffer> {
  const hash = createHash('sha1')
  const turn = new Turn()
  for (let at = 0; at < body.length; at += pieceBytes) {
    if (turn.isOver) await turn.next()
    hash.update(body.subarray(at, at + pieceBytes))
  }
  return hash.digest()
}
