/**
 * The messages between the server and the process of the engine, over a pair of connected sockets.
 *
 *     frame   = length kind session id payload
 *     length  = u32 LE, bytes of the payload
 *     kind    = u8, see `frameKinds`
 *     session = u8, 0 where none is meant
 *     id      = u32 LE, chosen by the server; a reply has that of its request
 *     payload = text in UTF-8: SQL, rows (a JSON array a line), or JSON
 */
export const frameKinds = {
  /** Requests. `open` carries `SessionsOptions`; `cancel` has no reply. */
  open: 1,
  run: 2,
  stream: 3,
  next: 4,
  cancel: 5,
  close: 6,
  ping: 7,
  /** Replies. `end` is that of `next` after the last rows; `failure` carries a `FailurePayload`. */
  answer: 10,
  end: 11,
  failure: 12,
} as const
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds]

export interface Frame {
  readonly kind: FrameKind
  readonly session: number
  readonly id: number
  readonly payload: Uint8Array
}

/** An error of the engine, or of opening it. */
export interface FailurePayload {
  readonly message: string
  /** ClickHouse's number of the error. */
  readonly clickhouseCode?: number | undefined
  /** The code of an `UnavailableError`. */
  readonly code?: string | undefined
  readonly canRetry?: boolean | undefined
}

const headerBytes = 10
/** JavaScript's longest text is slightly shorter than 2^29 characters; rows are turned into one. */
export const payloadBytesMax = 2 ** 28

export function encodeHeader({ kind, session, id, payload }: Frame): Buffer {
  const header = Buffer.allocUnsafe(headerBytes)
  header.writeUInt32LE(payload.length, 0)
  header.writeUInt8(kind, 4)
  header.writeUInt8(session, 5)
  header.writeUInt32LE(id, 6)
  return header
}

/** Puts frames together from the pieces that a socket delivers. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void
  #pieces: Buffer[] = []
  #bytes = 0
  #wanted = headerBytes

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#bytes += piece.length
    while (this.#bytes >= this.#wanted) {
      // Joined only once all is there: joining piece by piece would copy a large answer again and again.
      const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces)
      this.#pieces = [all]
      const length = headerBytes + all.readUInt32LE(0)
      if (this.#bytes < length) {
        this.#wanted = length
        return
      }
      const payload = all.subarray(headerBytes, length)
      this.#pieces = length === all.length ? [] : [all.subarray(length)]
      this.#bytes -= length
      this.#wanted = headerBytes
      const kind = all.readUInt8(4) as FrameKind
      this.#onFrame({ kind, session: all.readUInt8(5), id: all.readUInt32LE(6), payload })
    }
  }
}
