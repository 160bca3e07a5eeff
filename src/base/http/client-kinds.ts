/**
 * Recognises the protocol of a client by its first three bytes, because a server for another protocol would only break
 * the connection: HTTP/1 on a gRPC port, gRPC on an HTTP port, TLS on a plain port. These are the first mistakes that
 * people make with OTLP. What their clients print ("malformed HTTP response", "frame too large") helps nobody.
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
  /** The server's own protocol. The server also gets connections whose protocol is not recognised. */
  readonly own: 'http1' | 'http2'
  /** The time within which a connection must send its first bytes. */
  readonly timeoutMs: number
  /** Takes over clients of another kind. Their first bytes can still be read. */
  readonly others: (kind: ClientKind, socket: Socket) => void
}

/**
 * Runs before the server's own handling of connections. Returns a function that ends connections that have sent nothing
 * yet.
 */
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
      // As one piece: Node's HTTP/2 passes each piece to its session, and throws when an earlier piece has ended the
      // session.
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

/** Explains in HTTP/1.1 why the connection is refused, because every client shows or logs that in some form. */
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
  // Further input is read and discarded: an immediate reset would overtake the answer.
  socket.resume()
  const cutOff = setTimeout(() => socket.destroy(), lingerMs)
  socket.on('close', () => clearTimeout(cutOff))
}

/** The port as text, when it is known. */
export function portText(port: number): string {
  return port === 0 ? '' : ` ${port}`
}

export function tlsProblem(port: number | undefined): InputError {
  const text = `a client that speaks TLS came to port${portText(port ?? 0)}, which is plain: send to http://, not https:// (for OTLP exporters also OTEL_EXPORTER_OTLP_INSECURE=true)`
  return new InputError('bad_request', text)
}
