/**
 * GELF, port 12201 (the grammar: codec/gelf/gelf.ts):
 *   UDP  one message a datagram, or in chunks (gelf-chunks.ts); plain, gzip or zlib
 *   TCP  messages ended by a NUL byte or a line end, plain
 * There are no answers: over TCP a full log makes the sender wait, over UDP messages are lost and counted.
 * Limits: those of tcp-listener.ts; a message has at most 1 MiB over TCP and 128 datagrams over UDP.
 */
import { gelfFrames } from '../../codec/framing/gelf-frames.ts'
import { gelf } from '../../codec/gelf/gelf.ts'
import { DatagramBatch } from '../sockets/datagram-batch.ts'
import { GelfChunks } from './gelf-chunks.ts'
import { serveMessages, type MessageStream } from '../sockets/message-stream.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'
import { startTcpListener } from '../sockets/tcp-listener.ts'
import { startUdpListener } from '../sockets/udp-listener.ts'

const messageBytesMax = 1024 * 1024
const expireIntervalMs = 1000

export function startGelfTcp(context: ReceiverContext): Promise<Listener> {
  const name = 'gelf/tcp'
  const counts = context.intake.counters.of(name, 'events')
  const stream: MessageStream = { protocol: name, codec: gelf, frames: gelfFrames, messageBytesMax }
  return startTcpListener({ name, counts, serve: (connection) => serveMessages(connection, stream) }, context)
}

export function startGelfUdp(context: ReceiverContext): Promise<Listener> {
  const name = 'gelf/udp'
  const { intake } = context
  const counts = intake.counters.of(name, 'events')
  const batch = new DatagramBatch({ protocol: name, codec: gelf, intake, counts })
  const chunks = new GelfChunks((datagrams, cause) => {
    counts.dropped += datagrams
    counts.lastError = cause
  })
  const timer = setInterval(() => chunks.expire(performance.now()), expireIntervalMs).unref()
  const receive = (datagram: Uint8Array, peer: string): void => {
    const message = GelfChunks.isChunk(datagram) ? chunks.add(datagram, peer, performance.now()) : datagram
    if (message !== undefined) batch.add(peer, message)
  }
  const close = async (): Promise<void> => {
    clearInterval(timer)
    await batch.close()
  }
  return startUdpListener({ name, counts, receive, close }, context)
}
