/**
 * What a client speaks, told by its first three bytes, before a server that speaks something else would only break the
 * connection: HTTP/1 on a gRPC port, gRPC on an HTTP port, TLS on a plain one. These are the first mistakes that people
 * make with OTLP, and what their clients print of them ("malformed HTTP response", "frame too large") helps nobody.
 *   first bytes = "PRI" (HTTP/2 with prior knowledge, RFC 9113 §3.4) | 0x16 0x03 (TLS handshake record) | method (HTTP/1)
 */
import type { Server, Socket } from 'node:net'
import { InputError } from '../errors.ts'

export type ClientKind = 'http1' | 'http2' | 'tls'

const headBytes = 3

function kindOf(head: Uint8Array): ClientKind | undefined {
  if (head[0] === 0x16 && head[1] === 0x03) return 'tls'
  const text = Buffer.from(head).toString('latin1')
  if (text === 'PRI') return 'http2'
  return /^[A-Z]{3}$/.test(text) ? 'http1' : undefined
}

export interface ClientSorting {
  /** What the server itself speaks; it also gets what cannot be told. */
  readonly own: 'http1' | 'http2'
  /** A connection must have sent its first bytes this soon. */
  readonly timeoutMs: number
  /** Takes clients of another kind over, whose first bytes can still be read. */
  readonly others: (kind: ClientKind, socket: Socket) => void
}

/** Puts itself before the server's own handling of connections. Returns what ends those that said nothing yet. */
export function sortClients(server: Server, { own, timeoutMs, others }: ClientSorting): () => void {
  const listeners = server.listeners('connection')
  const waiting = new Set<Socket>()
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const leave = (): void => {
      clearTimeout(timer)
      waiting.delete(socket)
      socket.off('readable', look).off('error', end).off('close', leave)
    }
    const end = (): void => {
      leave()
      socket.destroy()
    }
    const look = (): void => {
      const head = socket.read(headBytes) as Buffer | null
      if (head === null) return socket.readableEnded ? end() : undefined
      leave()
      // As one piece: Node's HTTP/2 hands each piece to its session, and throws where the one before has ended that.
      const rest = socket.read() as Buffer | null
      socket.unshift(rest === null ? head : Buffer.concat([head, rest]))
      const kind = kindOf(head) ?? own
      if (kind !== own) others(kind, socket)
      else for (const listener of listeners) (listener as (socket: Socket) => void).call(server, socket)
    }
    const timer = setTimeout(end, timeoutMs)
    waiting.add(socket)
    socket.on('readable', look).on('error', end).on('close', leave)
  })
  return () => waiting.forEach((socket) => socket.destroy())
}

/** How long a client may take to read why it was refused. */
const lingerMs = 1000

/** Says in HTTP/1.1, which every client shows or logs in some form, why the connection is refused. */
export function refuseClient(socket: Socket, message: string): void {
  const body = `${message}\n`
  const head = [
    'HTTP/1.1 400 Bad Request',
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.on('error', () => socket.destroy())
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  // What still comes is read and thrown away: a reset at once would overtake the answer.
  socket.resume()
  const cutOff = setTimeout(() => socket.destroy(), lingerMs)
  socket.on('close', () => clearTimeout(cutOff))
}

/** The port as a text, where it is known. */
export function portText(port: number): string {
  return port === 0 ? '' : ` ${port}`
}

export function tlsProblem(port: number | undefined): InputError {
  const text = `a client that speaks TLS came to port${portText(port ?? 0)}, which is plain: send to http://, not https:// (for OTLP exporters also OTEL_EXPORTER_OTLP_INSECURE=true)`
  return new InputError('bad_request', text)
}
