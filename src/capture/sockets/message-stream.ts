/** A connection that only sends: its frames become records in the log; frames that arrive together share one record. */
import { InputError } from '../../base/errors.ts'
import type { Codec } from '../../codec/codec.ts'
import { FrameBuffer, type FrameRule } from '../../codec/framing/frame-buffer.ts'
import { encodePeerMessages } from '../../codec/framing/peer-messages.ts'
import type { Connection } from './connection.ts'

export interface MessageStream {
  readonly protocol: string
  readonly codec: Codec
  /** Makes a separate rule for each connection. */
  readonly frames: () => FrameRule
  /** Largest message. */
  readonly messageBytesMax: number
}

export async function serveMessages(connection: Connection, stream: MessageStream): Promise<void> {
  const frames = new FrameBuffer(stream.frames(), stream.messageBytesMax)
  for (;;) {
    const bytes = await connection.read(frames.pendingBytes).catch(async (error: unknown) => {
      if (error instanceof InputError && frames.keepsUnfinished) await store(connection, stream, frames.finish())
      throw error
    })
    if (bytes === undefined) break
    const messages = frames.push(bytes)
    if (messages.length > 0) connection.completed()
    await store(connection, stream, messages)
    frames.check()
  }
  // When a client vanished in the middle of a message, that message is dropped; one that closed has sent everything.
  if (connection.endedWell) await store(connection, stream, frames.finish())
}

async function store(connection: Connection, stream: MessageStream, messages: readonly Uint8Array[]): Promise<void> {
  if (messages.length === 0) return
  const body = encodePeerMessages(messages.map((message) => ({ peer: connection.peer, body: message })))
  await connection.take({ protocol: stream.protocol, codec: stream.codec, body, retryable: false })
}
