/**
 * Listens for datagrams. No sender can be told to wait, so datagrams without room are dropped and counted: by clew when
 * the log has no room, and by the kernel when clew is slower than the senders (`drops` of /proc/net/udp).
 */
import dgram, { type RemoteInfo } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { messageOf } from '../../base/errors.ts'
import type { ProtocolCounts } from '../counters.ts'
import { KernelDrops } from './kernel-drops.ts'
import { listenError } from '../../base/listen.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'

export interface UdpProtocol {
  /** Name of the listener: `syslog/udp`. */
  readonly name: string
  readonly counts: ProtocolCounts
  /** The datagram may be kept. `reply` sends to whoever sent it. */
  readonly receive: (datagram: Uint8Array, peer: string, reply: (bytes: Uint8Array) => void) => void
  /** Called once the socket is closed: stores what was received. */
  readonly close?: () => Promise<void>
}

/** The receive buffer that clew asks the system for, which may give less: a burst waits here while clew is busy. */
const receiveBufferBytes = 4 * 1024 * 1024
const dropsIntervalMs = 1000

export async function startUdpListener(protocol: UdpProtocol, context: ReceiverContext): Promise<Listener> {
  const { host, port, logger } = context
  const socket = dgram.createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', recvBufferSize: receiveBufferBytes })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => reject(listenError(error, host, port)))
    socket.bind(port, host, resolve)
  })
  const bound = socket.address()
  const drops = new KernelDrops(bound.address, bound.port)
  const countDrops = (): void => {
    const more = drops.more()
    if (more === 0) return
    protocol.counts.dropped += more
    protocol.counts.lastError = `the system dropped ${more} datagrams to port ${bound.port}: its receive buffer was full`
  }
  const timer = setInterval(countDrops, dropsIntervalMs).unref()
  socket.removeAllListeners('error')
  socket.on('error', (error) => logger.error(`cannot receive ${protocol.name}: ${messageOf(error)}`))
  socket.on('message', (datagram, from: RemoteInfo) => {
    const reply = (bytes: Uint8Array): void => socket.send(bytes, from.port, from.address, () => {})
    protocol.receive(datagram, from.address.replace(/^::ffff:/, ''), reply)
  })
  const close = async (): Promise<void> => {
    clearInterval(timer)
    countDrops()
    await new Promise<void>((resolve) => socket.close(resolve))
    await protocol.close?.()
  }
  return { name: protocol.name, protocol: 'udp', address: bound.address, port: bound.port, close }
}
