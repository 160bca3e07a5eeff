/**
 * The Jaeger agent over UDP (jaeger-idl thrift/agent.thrift): datagrams with an emitBatch or emitZipkinBatch message.
 * By custom 6831 is compact and 6832 binary; either port accepts both. At most 65,000 bytes each, as clients send them.
 *
 * Nobody waits for an answer, so datagrams are gathered for a moment into one record of the log. A broken one is
 * counted as rejected and affects no other. What arrives while clew cannot keep more is dropped and counted.
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
