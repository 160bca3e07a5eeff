/**
 * Fluentd Forward over TCP, port 24224 (Forward Protocol Specification v1; the events' grammar: codec/forward):
 *   stream = { message | nil }      in MessagePack; nil keeps the connection alive
 *          | { JSON array }         when the first byte is "[" or "{"
 * Answers: HELO and PONG when a shared key or users are required; `{"ack": chunk}` for each message with a chunk id,
 * once its events are on disk. Invalid events are acknowledged too, because sending them again would not help; they are
 * counted. A message with a chunk id is one record in the log, byte for byte, so that a chunk sent again after a lost
 * acknowledgement is recognised. Messages without a chunk id are stored together with what arrived with them.
 * While the log has no room nothing is read and nothing acknowledged, and the client keeps its buffer.
 * Limits: those of tcp-listener.ts; a message has at most `limits.body_bytes`, an unpacked chunk at most 64 MiB.
 *
 * UDP on the same port is the heartbeat: any datagram of at most 128 bytes is answered with one byte 0.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { InputError } from '../../base/errors.ts'
import { chunkOfJson, forwardJson } from '../../codec/forward/forward-json.ts'
import { forward } from '../../codec/forward/forward.ts'
import { readMessage } from '../../codec/forward/message.ts'
import { MsgpackReader } from '../../codec/forward/msgpack.ts'
import { encodeAck } from '../../codec/forward/reply.ts'
import { FrameBuffer } from '../../codec/framing/frame-buffer.ts'
import { jsonFrames } from '../../codec/framing/json-frames.ts'
import { msgpackFrames } from '../../codec/framing/msgpack-frames.ts'
import type { Codec } from '../../codec/codec.ts'
import type { Connection } from '../sockets/connection.ts'
import { Handshake, type ForwardSecurity } from './forward-handshake.ts'
import { holdMs, PartialHold } from './partial-hold.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'
import { startTcpListener, type TlsFiles } from '../sockets/tcp-listener.ts'
import { startUdpListener } from '../sockets/udp-listener.ts'

const protocol = 'forward'
/** Messages with a chunk id that are stored at once for one client: they share a write to the disk. */
const chunksAtOnce = 32
/** A PING has two digests of 128 digits and three names. */
const pingBytesMax = 8192
const heartbeatBytesMax = 128

export interface ForwardOptions {
  readonly security: ForwardSecurity
  readonly tls: TlsFiles | undefined
}

export function startForward(context: ReceiverContext, options: ForwardOptions): Promise<Listener> {
  const counts = context.intake.counters.of(protocol, 'events')
  const messageBytesMax = context.intake.bodyBytesMax
  const serve = (connection: Connection): Promise<void> => serveForward(connection, options.security, messageBytesMax)
  return startTcpListener({ name: protocol, counts, tls: options.tls, serve }, context)
}

export function startForwardHeartbeat(context: ReceiverContext): Promise<Listener> {
  const counts = context.intake.counters.of('forward/heartbeat', 'events')
  const alive = Uint8Array.of(0)
  const receive = (datagram: Uint8Array, _peer: string, reply: (bytes: Uint8Array) => void): void => {
    counts.requests++
    if (datagram.length <= heartbeatBytesMax) reply(alive)
  }
  return startUdpListener({ name: 'forward/heartbeat', counts, receive }, context)
}

async function serveForward(connection: Connection, security: ForwardSecurity, messageBytesMax: number): Promise<void> {
  let rest: Uint8Array | undefined
  if (security.sharedKey !== '' || security.users.size > 0) {
    rest = await shakeHands(connection, new Handshake(security))
    if (rest === undefined) return
  }
  let stream: Stream | undefined
  for (;;) {
    const bytes = rest !== undefined && rest.length > 0 ? rest : await readOn(connection, stream)
    rest = undefined
    if (bytes === undefined) return
    stream ??= streamOf(bytes, messageBytesMax)
    const messages = stream.frames.push(bytes)
    if (messages.length > 0) connection.completed()
    await store(connection, stream, stream.hold.pass(messages))
    stream.frames.check()
  }
}

/** Reads on. What is held is stored when nothing arrives for a while, and when nothing more will arrive. */
async function readOn(connection: Connection, stream: Stream | undefined): Promise<Uint8Array | undefined> {
  const reading = connection.read(stream?.frames.pendingBytes ?? 0)
  if (stream === undefined || stream.hold.isEmpty) return reading
  // It is awaited below; until then nobody else handles its failure.
  reading.catch(() => {})
  const stopped = new AbortController()
  const waiting = sleep(holdMs, undefined, { signal: stopped.signal }).catch(() => {})
  try {
    const bytes = await Promise.race([reading, waiting])
    if (bytes !== undefined) return bytes
  } catch {
    // `reading` fails again below, after the held messages are stored.
  } finally {
    stopped.abort()
  }
  await store(connection, stream, stream.hold.flush())
  return reading
}

/** Which of the two encodings a client uses. */
interface Stream {
  readonly codec: Codec
  readonly frames: FrameBuffer
  readonly hold: PartialHold
  readonly isMessage: (message: Uint8Array) => boolean
  readonly chunkOf: (message: Uint8Array) => string
  readonly ack: (chunk: string) => Uint8Array | string
  /** What separates two messages in one record. */
  readonly separator: Uint8Array
}

function streamOf(bytes: Uint8Array, messageBytesMax: number): Stream {
  // A byte order mark begins with 0xef, which no message of MessagePack does.
  if (bytes[0] === 0x5b || bytes[0] === 0x7b || bytes[0] === 0xef) {
    return {
      codec: forwardJson,
      frames: new FrameBuffer(jsonFrames(), messageBytesMax),
      hold: new PartialHold(),
      isMessage: () => true,
      chunkOf: chunkOfJson,
      ack: (chunk) => JSON.stringify({ ack: chunk }),
      separator: Uint8Array.of(0x0a),
    }
  }
  return {
    codec: forward,
    frames: new FrameBuffer(msgpackFrames(), messageBytesMax),
    hold: new PartialHold(),
    isMessage: isArray,
    chunkOf,
    ack: encodeAck,
    separator: new Uint8Array(0),
  }
}

function isArray([first = 0]: Uint8Array): boolean {
  return (first >= 0x90 && first < 0xa0) || first === 0xdc || first === 0xdd
}

function chunkOf(message: Uint8Array): string {
  try {
    const read = readMessage(new MsgpackReader(message))
    return typeof read === 'string' ? '' : read.option.chunk
  } catch (error) {
    // The decoder finds the same fault and counts it.
    if (error instanceof InputError) return ''
    throw error
  }
}

const keepAlive = 0xc0

async function store(connection: Connection, stream: Stream, messages: readonly Uint8Array[]): Promise<void> {
  const unacknowledged: Uint8Array[] = []
  const chunks: { chunk: string; message: Uint8Array }[] = []
  let failure: InputError | undefined
  for (const message of messages) {
    if (message[0] === keepAlive) continue
    if (!stream.isMessage(message)) {
      // Another protocol was sent to this port: nothing after this could be trusted.
      failure = new InputError('bad_request', 'cannot read Forward: a message is not an array')
      break
    }
    const chunk = stream.chunkOf(message)
    if (chunk !== '') chunks.push({ chunk, message })
    else unacknowledged.push(message, stream.separator)
  }
  if (unacknowledged.length > 0) {
    const body = unacknowledged.length === 2 ? unacknowledged[0]! : Buffer.concat(unacknowledged)
    await connection.take({ protocol, codec: stream.codec, body, retryable: false })
  }
  for (let first = 0; first < chunks.length; first += chunksAtOnce) {
    const some = chunks.slice(first, first + chunksAtOnce)
    await Promise.all(some.map(({ message }) => connection.take({ protocol, codec: stream.codec, body: message })))
    for (const { chunk } of some) await connection.write(stream.ack(chunk))
  }
  if (failure !== undefined) throw failure
}

/** The bytes after the PING, or `undefined` when the client ended. */
async function shakeHands(connection: Connection, handshake: Handshake): Promise<Uint8Array | undefined> {
  await connection.write(handshake.helo)
  let received: Uint8Array = new Uint8Array(0)
  for (;;) {
    // The PING counts as an unfinished frame from the start: nobody may keep a connection open without logging in.
    const bytes = await connection.read(Math.max(1, received.length))
    if (bytes === undefined) return undefined
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes])
    const end = msgpackFrames().end(received, 0, received.length)
    if (end < 0) {
      if (received.length > pingBytesMax)
        throw new InputError('too_large', `cannot take a PING of more than ${pingBytesMax} bytes`)
      continue
    }
    connection.completed()
    const { pong, problem } = handshake.answer(received.subarray(0, end))
    await connection.write(pong)
    if (problem === '') return received.subarray(end)
    await connection.end()
    throw new InputError('unauthenticated', `cannot let ${connection.peer} send over Forward: ${problem}`)
  }
}
