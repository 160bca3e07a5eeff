/**
 * Docker sends the pieces of a long line as separate messages (codec/forward/partials.ts). They are held for a moment,
 * so that a line's pieces are one record in the log, where the decoder can join them. Messages with a chunk id are not
 * held: the client waits for its acknowledgement.
 */
import { InputError } from '../../base/errors.ts'
import { readMessage } from '../../codec/forward/message.ts'
import { MsgpackReader } from '../../codec/forward/msgpack.ts'
import { mayHoldPartials, partialMark, type PartialMark } from '../../codec/forward/partials.ts'

/** A line whose last piece did not arrive within this time is stored incomplete. */
export const holdMs = 1000
/** For all lines of one connection together. */
const heldBytesMax = 1024 * 1024
const linesMax = 64

export class PartialHold {
  readonly #lines = new Map<string, Uint8Array[]>()
  #bytes = 0

  get isEmpty(): boolean {
    return this.#lines.size === 0
  }

  /** What must be stored now: whole messages, and the pieces of complete lines, one after the other. */
  pass(messages: readonly Uint8Array[]): Uint8Array[] {
    const ready: Uint8Array[] = []
    for (const message of messages) {
      const mark = mayHoldPartials(message) ? markOf(message) : undefined
      if (mark === undefined) ready.push(message)
      else this.#add(mark, message, ready)
    }
    return ready
  }

  #add({ id, isLast }: PartialMark, message: Uint8Array, ready: Uint8Array[]): void {
    const line = this.#lines.get(id) ?? []
    line.push(message)
    this.#lines.set(id, line)
    this.#bytes += message.length
    if (isLast) ready.push(...this.#release(id))
    else if (this.#bytes > heldBytesMax || this.#lines.size > linesMax) ready.push(...this.flush())
  }

  #release(id: string): Uint8Array[] {
    const line = this.#lines.get(id) ?? []
    this.#lines.delete(id)
    for (const { length } of line) this.#bytes -= length
    return line
  }

  /** Everything that is held. */
  flush(): Uint8Array[] {
    return [...this.#lines.keys()].flatMap((id) => this.#release(id))
  }
}

function markOf(message: Uint8Array): PartialMark | undefined {
  const reader = new MsgpackReader(message)
  try {
    const read = readMessage(reader)
    if (typeof read === 'string' || read.mode !== 'message' || read.option.chunk !== '') return undefined
    reader.at = read.bodyAt
    reader.skip()
    const record = reader.value()
    return record.type === 'map' ? partialMark(record.value) : undefined
  } catch (error) {
    // The decoder finds the same fault and counts it.
    if (error instanceof InputError) return undefined
    throw error
  }
}
