/**
 * The Jaeger agent over UDP (jaeger-idl thrift/agent.thrift): datagrams with an emitBatch or emitZipkinBatch message,
 * compact on 6831 and binary on 6832 by custom; either port takes both. At most 65,000 bytes each, as clients keep to.
 *
 * Nobody waits for an answer, so datagrams are gathered for a moment into one record of the log. One that is broken
 * costs only itself and is counted as rejected. What comes while clew cannot keep more is dropped and counted.
 */
import { jaegerAgentDatagrams } from '../../codec/jaeger/agent.ts'
import { DatagramBatch } from '../sockets/datagram-batch.ts'
import type { Listener, ReceiverContext, StartReceiver } from '../receiver.ts'
import { startUdpListener } from '../sockets/udp-listener.ts'

export const startJaegerCompact: StartReceiver = (context) => startAgent('jaeger/compact', context)
export const startJaegerBinary: StartReceiver = (context) => startAgent('jaeger/binary', context)

function startAgent(name: string, context: ReceiverContext): Promise<Listener> {
  const { intake } = context
  const counts = intake.counters.of(name, 'spans')
  const batch = new DatagramBatch({ protocol: name, codec: jaegerAgentDatagrams, intake, counts })
  const receive = (datagram: Uint8Array, peer: string): void => batch.add(peer, datagram)
  return startUdpListener({ name, counts, receive, close: () => batch.close() }, context)
}
