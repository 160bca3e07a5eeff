/**
 * Plain events, port 5170: JSON or text, one event a line (the grammar: codec/lines/lines.ts):
 *   TCP  lines, the last one may lack its line end
 *   UDP  one or several lines a datagram
 * There are no answers: over TCP a full log makes the sender wait, over UDP events are lost and counted.
 * Limits: those of tcp-listener.ts; a line has at most 1 MiB over TCP, and what fits a datagram over UDP.
 */
import { lineFrames } from '../../codec/framing/line-frames.ts'
import { FrameBuffer } from '../../codec/framing/frame-buffer.ts'
import { lines } from '../../codec/lines/lines.ts'
import { DatagramBatch } from '../sockets/datagram-batch.ts'
import { serveMessages, type MessageStream } from '../sockets/message-stream.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'
import { startTcpListener } from '../sockets/tcp-listener.ts'
import { startUdpListener } from '../sockets/udp-listener.ts'

const messageBytesMax = 1024 * 1024

export function startLinesTcp(context: ReceiverContext): Promise<Listener> {
  const name = 'lines/tcp'
  const counts = context.intake.counters.of(name, 'events')
  const stream: MessageStream = { protocol: name, codec: lines, frames: lineFrames, messageBytesMax }
  return startTcpListener({ name, counts, serve: (connection) => serveMessages(connection, stream) }, context)
}

export function startLinesUdp(context: ReceiverContext): Promise<Listener> {
  const name = 'lines/udp'
  const { intake } = context
  const counts = intake.counters.of(name, 'events')
  const batch = new DatagramBatch({ protocol: name, codec: lines, intake, counts })
  const receive = (datagram: Uint8Array, peer: string): void => {
    const frames = new FrameBuffer(lineFrames(), messageBytesMax)
    for (const line of [...frames.push(datagram), ...frames.finish()]) batch.add(peer, line)
  }
  return startUdpListener({ name, counts, receive, close: () => batch.close() }, context)
}
