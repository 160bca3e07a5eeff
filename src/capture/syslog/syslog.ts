/**
 * Syslog, port 5514 (RFC 5424 and RFC 3164 messages; the grammar: codec/syslog/message.ts):
 *   UDP          one message a datagram (RFC 5426)
 *   TCP and TLS  octet counting or one message a line, each frame may choose (RFC 6587, RFC 5425)
 * There are no answers, as the protocol has none: over TCP a full log makes the sender wait, over UDP messages are lost
 * and counted. Limits: those of tcp-listener.ts; a message has at most 1 MiB over TCP, and what fits a datagram over
 * UDP.
 */
import { syslogFrames } from '../../codec/framing/syslog-frames.ts'
import { syslog } from '../../codec/syslog/syslog.ts'
import { DatagramBatch } from '../sockets/datagram-batch.ts'
import { serveMessages, type MessageStream } from '../sockets/message-stream.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'
import { startTcpListener, type TlsFiles } from '../sockets/tcp-listener.ts'
import { startUdpListener } from '../sockets/udp-listener.ts'

const messageBytesMax = 1024 * 1024

export function startSyslogTcp(context: ReceiverContext, tls?: TlsFiles): Promise<Listener> {
  const name = tls === undefined ? 'syslog/tcp' : 'syslog/tls'
  const counts = context.intake.counters.of(name, 'events')
  const stream: MessageStream = { protocol: name, codec: syslog, frames: syslogFrames, messageBytesMax }
  return startTcpListener({ name, counts, tls, serve: (connection) => serveMessages(connection, stream) }, context)
}

export function startSyslogUdp(context: ReceiverContext): Promise<Listener> {
  const name = 'syslog/udp'
  const { intake } = context
  const counts = intake.counters.of(name, 'events')
  const batch = new DatagramBatch({ protocol: name, codec: syslog, intake, counts })
  const receive = (datagram: Uint8Array, peer: string): void => batch.add(peer, datagram)
  return startUdpListener({ name, counts, receive, close: () => batch.close() }, context)
}
