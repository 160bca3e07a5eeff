/**
 * Listens for connections of stream protocols (Forward, syslog, GELF, lines) and enforces the limits they share: the
 * number of connections, how long one may be silent, the age and size of an unfinished frame. A connection is one
 * asynchronous function that reads, stores, and only then reads again. While the log has no room, nothing is read, the
 * socket's buffers fill, and TCP tells the sender to wait.
 */
import { readFile } from 'node:fs/promises'
import net, { type AddressInfo, type Socket } from 'node:net'
import tls from 'node:tls'
import { InputError, UnavailableError, messageOf } from '../../base/errors.ts'
import { receivingBudget, type ByteBudget } from '../byte-budget.ts'
import { Connection } from './connection.ts'
import type { ProtocolCounts } from '../counters.ts'
import { listenError } from '../../base/listen.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'

/** PEM files. */
export interface TlsFiles {
  readonly certPath: string
  readonly keyPath: string
}

export interface TcpProtocol {
  /** Name of the listener in answers and logs: `syslog/tcp`. */
  readonly name: string
  /** Row of the counters for unreadable requests. */
  readonly counts: ProtocolCounts
  readonly tls?: TlsFiles | undefined
  /** Serves one connection until its end. What it throws ends the connection; an `InputError` is the client's fault. */
  readonly serve: (connection: Connection) => Promise<void>
}

/** How long `close` waits until what was read is stored. */
const closeGraceMs = 2000

export async function startTcpListener(protocol: TcpProtocol, context: ReceiverContext): Promise<Listener> {
  const listener = new TcpListener(protocol, context)
  const options = {
    allowHalfOpen: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    noDelay: true,
    pauseOnConnect: false,
  }
  const accept = (socket: Socket): void => void listener.accept(socket)
  let server: net.Server
  if (protocol.tls === undefined) server = net.createServer(options, accept)
  else {
    const pem = await readPem(protocol.tls)
    server = tls.createServer({ ...options, ...pem, handshakeTimeout: context.limits.requestTimeoutMs }, accept)
    server.on('tlsClientError', (error: Error) => listener.countFailure(`cannot begin TLS: ${error.message}`))
  }
  server.maxConnections = context.limits.connectionsMax
  server.on('drop', () => listener.countRefusal(`more than ${context.limits.connectionsMax} connections are open`))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, context.host, context.port)))
    server.listen({ host: context.host, port: context.port }, resolve)
  })
  server.on('error', (error) => context.logger.error(`cannot accept ${protocol.name} connections: ${messageOf(error)}`))
  const { address, port } = server.address() as AddressInfo
  return { name: protocol.name, protocol: 'tcp', address, port, close: () => listener.close(server) }
}

/** Rejects with `InputError` `bad_config` when a file cannot be read or used. */
export async function readPem(files: TlsFiles): Promise<{ cert: Buffer; key: Buffer }> {
  const read = async (path: string): Promise<Buffer> => {
    try {
      return await readFile(path)
    } catch (error) {
      throw new InputError('bad_config', `cannot read the TLS file ${path}: ${messageOf(error)}`, {
        at: path,
        cause: error,
      })
    }
  }
  const [cert, key] = await Promise.all([read(files.certPath), read(files.keyPath)])
  try {
    tls.createSecureContext({ cert, key })
  } catch (error) {
    const message = `cannot use ${files.certPath} with ${files.keyPath}: ${messageOf(error)}`
    throw new InputError('bad_config', message, { at: files.certPath, cause: error })
  }
  return { cert, key }
}

class TcpListener {
  readonly #protocol: TcpProtocol
  readonly #context: ReceiverContext
  readonly #budget: ByteBudget
  readonly #open = new Map<Connection, Promise<void>>()

  constructor(protocol: TcpProtocol, context: ReceiverContext) {
    this.#protocol = protocol
    this.#context = context
    this.#budget = receivingBudget(context.intake.bodyBytesMax)
  }

  async accept(socket: Socket): Promise<void> {
    const connection = new Connection(socket, this.#context, this.#budget)
    const served = this.#serve(connection)
    this.#open.set(connection, served)
    await served
    this.#open.delete(connection)
  }

  async #serve(connection: Connection): Promise<void> {
    try {
      await this.#protocol.serve(connection)
      await connection.end()
    } catch (error) {
      connection.destroy()
      if (error instanceof InputError) this.countFailure(error.message)
      else if (error instanceof UnavailableError) this.countRefusal(error.message)
      else this.#context.logger.error({ err: error }, `cannot serve a ${this.#protocol.name} connection`)
    } finally {
      connection.release()
    }
  }

  countFailure(message: string): void {
    this.#protocol.counts.failed++
    this.#protocol.counts.lastError = message
  }

  countRefusal(message: string): void {
    this.#protocol.counts.refused++
    this.#protocol.counts.lastError = message
  }

  async close(server: net.Server): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const connection of this.#open.keys()) connection.stop()
    const cutOff = setTimeout(() => {
      for (const connection of this.#open.keys()) connection.destroy()
    }, closeGraceMs)
    await Promise.all(this.#open.values())
    clearTimeout(cutOff)
    await closed
  }
}
