/**
 * A gRPC server for unary calls whose handlers get the message's bytes as received, compressed or not
 * (grpc/doc/PROTOCOL-HTTP2.md). It is built on node:http2 because @grpc/grpc-js unpacks messages itself. It knows only
 * gzip and deflate, unpacks before a handler could count or refuse a message, and the log would keep the unpacked
 * bytes.
 */
import http2, {
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { InputError, UnavailableError } from '../../base/errors.ts'
import { encodeStatus, shortened } from '../../codec/otlp/response.ts'
import { receivingBudget, type ByteBudget } from '../byte-budget.ts'
import { failureOf } from '../../base/failure.ts'
import { frameMessage, GrpcMessage } from './grpc-message.ts'
import { listenError } from '../../base/listen.ts'
import { refuseClient, sortClients, tlsProblem } from '../../base/http/client-kinds.ts'
import type { Http2Clients } from '../../base/http/http-app.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'

export interface UnaryCall {
  readonly body: Uint8Array
  /** The compression of the message, '' for none. */
  readonly encoding: string
}

export interface UnaryService {
  /** Name of the listener. */
  readonly name: string
  /**
   * Path, `/package.Service/Method`, to its handler, which returns the reply's bytes. What it throws becomes a status.
   */
  readonly methods: ReadonlyMap<string, (call: UnaryCall) => Promise<Uint8Array>>
  /** Called for calls that failed before they reached their method. */
  readonly onUnreadable: (path: string, error: unknown) => void
  /** Called for clients that speak another protocol. */
  readonly onWrongClient: (problem: Error) => void
  /** Advice for a client that speaks HTTP/1, or HTTP/2 without gRPC: where to connect instead. */
  readonly advice: string
}

/** How long `close` waits for unfinished calls. */
const closeGraceMs = 2000

/** How long a client may continue sending a call that was already answered. */
const lingerMs = 1000

/** Unread bytes per client: enough to keep a sender of 64 MiB messages busy, little for a thousand idle clients. */
const streamWindowBytes = 1 << 20
const sessionWindowBytes = 4 << 20

interface Server extends ReceiverContext {
  readonly service: UnaryService
  readonly budget: ByteBudget
  readonly sessions: Set<ServerHttp2Session>
  readonly http2: Http2Server
  /** A session must make its first call within this time; 0 for no limit except the idle limit. */
  readonly firstCallMs: number
}

export async function startGrpcUnary(service: UnaryService, context: ReceiverContext): Promise<Listener> {
  const server = createServer(service, context, 0)
  const listening = server.http2
  const endWaiting = sortClients(listening, {
    own: 'http2',
    timeoutMs: context.limits.requestTimeoutMs,
    others: (kind, socket) => {
      const problem = kind === 'tls' ? tlsProblem(socket.localPort) : new InputError('bad_request', service.advice)
      service.onWrongClient(problem)
      refuseClient(socket, problem.message)
    },
  })
  listening.maxConnections = context.limits.connectionsMax
  await new Promise<void>((resolve, reject) => {
    listening.once('error', (error) => reject(listenError(error, context.host, context.port)))
    listening.listen(context.port, context.host, resolve)
  })
  const { address, port } = listening.address() as AddressInfo
  return {
    name: service.name,
    protocol: 'tcp',
    address,
    port,
    async close() {
      endWaiting()
      const closed = new Promise<void>((resolve) => listening.close(() => resolve()))
      await endSessions(server, closed)
    },
  }
}

/**
 * The same service for connections that arrived at another port. A session that makes no call within `firstCallMs` is
 * ended with the service's advice in the debug data of its GOAWAY. A gRPC client connects again once it has a call to
 * make.
 */
export function acceptGrpcUnary(service: UnaryService, context: ReceiverContext, firstCallMs = 2000): Http2Clients {
  const server = createServer(service, context, firstCallMs)
  return {
    accept: (socket: Socket) => void server.http2.emit('connection', socket),
    async close() {
      const ended = [...server.sessions].map((session) => new Promise((resolve) => session.on('close', resolve)))
      await endSessions(server, Promise.all(ended))
    },
  }
}

function createServer(service: UnaryService, context: ReceiverContext, firstCallMs: number): Server {
  const listening = http2.createServer({
    // The default of 10 MB is for whole sessions; large messages on several streams would be cut off.
    maxSessionMemory: 64 + Math.ceil(context.intake.bodyBytesMax / 1e6),
    settings: { initialWindowSize: streamWindowBytes, maxConcurrentStreams: 256, maxHeaderListSize: 16_384 },
  })
  const server: Server = {
    ...context,
    service,
    budget: receivingBudget(context.intake.bodyBytesMax),
    sessions: new Set(),
    http2: listening,
    firstCallMs,
  }
  listening.on('session', (session) => onSession(server, session))
  listening.on('stream', (stream, headers) => onStream(server, stream as ServerHttp2Stream, headers))
  return server
}

/** Gives unfinished calls a moment to end. */
async function endSessions({ sessions }: Server, closed: Promise<unknown>): Promise<void> {
  for (const session of sessions) session.close()
  const cutOff = setTimeout(() => sessions.forEach((session) => session.destroy()), closeGraceMs)
  await closed
  clearTimeout(cutOff)
}

function onSession(server: Server, session: ServerHttp2Session): void {
  server.sessions.add(session)
  session.on('close', () => server.sessions.delete(session))
  // A client that speaks another protocol, or disconnects in the middle: its calls end with it.
  session.on('error', () => session.destroy())
  session.setLocalWindowSize(sessionWindowBytes)
  session.setTimeout(server.limits.idleTimeoutMs, () => session.close())
  if (server.firstCallMs > 0) awaitFirstCall(server, session)
}

function awaitFirstCall({ service, firstCallMs }: Server, session: ServerHttp2Session): void {
  const timer = setTimeout(() => {
    service.onWrongClient(new InputError('bad_request', service.advice))
    session.goaway(http2.constants.NGHTTP2_NO_ERROR, 0, Buffer.from(service.advice))
    session.close()
  }, firstCallMs)
  session.once('stream', () => clearTimeout(timer))
  session.once('close', () => clearTimeout(timer))
}

function onStream(server: Server, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  // An error of the stream is followed by its `close`.
  stream.on('error', () => undefined)
  const type = headers['content-type']?.split(';', 1)[0]
  if (headers[':method'] !== 'POST' || (type !== 'application/grpc' && type !== 'application/grpc+proto')) {
    server.service.onWrongClient(new InputError('unsupported_media_type', server.service.advice))
    stream.respond({ ':status': 415, 'content-type': 'text/plain; charset=utf-8' })
    stream.end(`${server.service.advice}\n`)
    return letFinish(stream)
  }
  const path = String(headers[':path'])
  const method = server.service.methods.get(path)
  const unreadable = (error: unknown): void => {
    server.service.onUnreadable(path, error)
    fail(server, stream, error)
  }
  if (method === undefined)
    return fail(server, stream, new InputError('not_found', `cannot call ${path}: no such method`))
  receive(server, stream, (error, message) => {
    if (error !== undefined) return unreadable(error)
    const encoding = message!.isCompressed ? String(headers['grpc-encoding'] ?? '') : ''
    if (message!.isCompressed && (encoding === '' || encoding === 'identity')) {
      return unreadable(
        new InputError('bad_request', 'cannot read the request: compressed, but grpc-encoding names nothing'),
      )
    }
    method({ body: message!.body, encoding }).then(
      (reply) => succeed(stream, reply),
      (thrown: unknown) => fail(server, stream, thrown),
    )
  })
}

type Received = (error: unknown, message?: { body: Buffer; isCompressed: boolean }) => void

/**
 * Calls back once: with the whole message, or with the reason why there is none. Not at all when the client gave up.
 */
function receive({ intake, budget, limits }: Server, stream: ServerHttp2Stream, done: Received): void {
  const message = new GrpcMessage(intake.bodyBytesMax, budget)
  const settle = (): void => {
    clearTimeout(timer)
    stream.off('data', onData).off('end', onEnd).off('close', settle)
    message.release()
  }
  const attempt = (step: () => void): void => {
    try {
      step()
    } catch (error) {
      settle()
      done(error)
    }
  }
  const onData = (chunk: Buffer): void => attempt(() => message.add(chunk))
  const onEnd = (): void =>
    attempt(() => {
      const whole = message.finish()
      settle()
      done(undefined, whole)
    })
  const timer = setTimeout(() => {
    const text = `cannot read the request: it was not complete after ${limits.requestTimeoutMs} ms`
    settle()
    done(new UnavailableError('timeout', text))
  }, limits.requestTimeoutMs)
  stream.on('data', onData).on('end', onEnd).on('close', settle)
}

const replyHeaders = {
  ':status': 200,
  'content-type': 'application/grpc',
  'grpc-accept-encoding': 'identity,gzip,deflate,zstd',
}

function succeed(stream: ServerHttp2Stream, reply: Uint8Array): void {
  if (stream.destroyed || stream.closed) return
  stream.respond(replyHeaders, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(frameMessage(reply))
}

function fail({ logger }: Server, stream: ServerHttp2Stream, error: unknown): void {
  const failure = failureOf(error)
  if (failure.isBug) logger.error({ err: error }, 'cannot answer a gRPC call')
  if (stream.destroyed || stream.closed) return
  const details = encodeStatus('protobuf', {
    code: failure.grpcStatus,
    message: failure.message,
    retryAfterMs: failure.retryAfterMs,
    field: failure.at,
  })
  stream.respond(
    {
      ...replyHeaders,
      'grpc-status': String(failure.grpcStatus),
      'grpc-message': percentEncoded(shortened(failure.message)),
      'grpc-status-details-bin': details.toString('base64').replaceAll('=', ''),
    },
    { endStream: true },
  )
  letFinish(stream)
}

/** Reads and discards the rest of an answered call for a moment: an immediate reset would overtake the answer. */
function letFinish(stream: ServerHttp2Stream): void {
  if (stream.readableEnded) return
  stream.resume()
  const reset = setTimeout(() => stream.close(http2.constants.NGHTTP2_NO_ERROR), lingerMs)
  stream.on('close', () => clearTimeout(reset))
}

/** Printable ASCII but `%` stays as it is. */
function percentEncoded(text: string): string {
  return text.replace(/[^ -$&-~]+/g, encodeURIComponent)
}
