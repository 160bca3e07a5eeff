/** Small clients over sockets, for tests of receivers. */
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'

export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

export async function connect(address: string): Promise<net.Socket> {
  const socket = net.connect(portOf(address), '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Sends everything, closes in good order, and answers what came back. */
export async function sendTcp(address: string, ...pieces: readonly (string | Uint8Array)[]): Promise<Buffer> {
  const socket = await connect(address)
  const answer = received(socket)
  for (const piece of pieces) {
    socket.write(piece)
    // Lets the pieces arrive apart.
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  socket.end()
  return answer
}

/** Resolves when the connection is closed, however that came about; fails loudly when it stays open. */
export async function closed(socket: net.Socket, timeoutMs = 5000): Promise<void> {
  socket.resume()
  if (socket.closed) return
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the connection was still open after ${timeoutMs} ms`)), timeoutMs)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Everything that comes until the other side closes. */
export async function received(socket: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await closed(socket)
  return Buffer.concat(chunks)
}

export async function sendUdp(address: string, ...datagrams: readonly (string | Uint8Array)[]): Promise<void> {
  const socket = dgram.createSocket('udp4')
  for (const datagram of datagrams) {
    await new Promise<void>((resolve, reject) =>
      socket.send(datagram, portOf(address), '127.0.0.1', (error) => (error ? reject(error) : resolve())),
    )
  }
  socket.close()
}

/** Waits until the condition holds; fails loudly when it does not within `timeoutMs`. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 5000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`timed out waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
