/**
 * One incoming gRPC message (grpc/doc/PROTOCOL-HTTP2.md):
 *   Length-Prefixed-Message = compressed-flag (1 byte, 0 or 1) · length (4 bytes, big-endian) · message
 */
import { InputError } from '../../base/errors.ts'
import type { ByteBudget } from '../byte-budget.ts'
import { bodyTooLarge, joinChunks } from './http-body.ts'

const prefixBytes = 5

/** Gathers the chunks of a request that carries exactly one message. */
export class GrpcMessage {
  readonly #bytesMax: number
  readonly #budget: ByteBudget
  #chunks: Buffer[] = []
  #bytes = 0
  /** Bytes of the whole frame; -1 until the prefix has arrived. */
  #frameBytes = -1

  constructor(bytesMax: number, budget: ByteBudget) {
    this.#bytesMax = bytesMax
    this.#budget = budget
  }

  /** Throws `InputError` for a message too large or not the only one, `UnavailableError` when the budget is used up. */
  add(chunk: Buffer): void {
    this.#budget.hold(chunk.length)
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#frameBytes < 0 && this.#bytes >= prefixBytes) {
      if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
      const length = this.#chunks[0]!.readUInt32BE(1)
      if (length > this.#bytesMax) throw bodyTooLarge(this.#bytesMax)
      this.#frameBytes = prefixBytes + length
    }
    if (this.#frameBytes >= 0 && this.#bytes > this.#frameBytes) {
      throw new InputError(
        'bad_request',
        'cannot read the request: a unary call carries one message, this one has more',
      )
    }
  }

  /** The message and whether it is compressed. Throws `InputError` when it is incomplete. */
  finish(): { readonly body: Buffer; readonly isCompressed: boolean } {
    if (this.#bytes !== this.#frameBytes) {
      throw new InputError(
        'bad_request',
        `cannot read the request: it ends after ${this.#bytes} bytes, within its message`,
      )
    }
    const frame = this.#chunks.length === 1 ? this.#chunks[0]! : joinChunks(this.#chunks, this.#bytes)
    const flag = frame[0]!
    if (flag > 1)
      throw new InputError('bad_request', `cannot read the request: compressed flag ${flag} is neither 0 nor 1`)
    return { body: frame.subarray(prefixBytes), isCompressed: flag === 1 }
  }

  /** Returns the reserved bytes to the budget; may be called more than once. */
  release(): void {
    this.#budget.release(this.#bytes)
    this.#bytes = 0
    this.#chunks = []
  }
}

/** An uncompressed message with its prefix. */
export function frameMessage(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(prefixBytes + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, prefixBytes)
  return frame
}
