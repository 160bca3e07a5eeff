/** What somebody may do to a running clew that is not meant well: each attack runs once, within some seconds, and ends. */
import net from 'node:net'
import zlib from 'node:zlib'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytesField } from '../../src/codec/otlp/wire-writer.ts'
import { answered, endlessHead, flood, grpcHead, rapidResets } from '../../test/support/raw-http2.ts'

export interface Target {
  readonly url: string
  readonly ports: Readonly<Record<string, number>>
}

/** Counts of answers by status; 0 stands for none. */
export type Answers = Map<number, number>

export interface Attack {
  readonly name: string
  run(target: Target, answers: Answers): Promise<unknown>
}

async function ask(answers: Answers, url: string, init: RequestInit = {}): Promise<void> {
  const signal = init.signal ?? AbortSignal.timeout(30_000)
  const status = await fetch(url, { ...init, signal }).then(
    async (answer) => {
      await answer.arrayBuffer()
      return answer.status
    },
    () => 0,
  )
  answers.set(status, (answers.get(status) ?? 0) + 1)
}

function post(answers: Answers, { ports }: Target, given: { body: Uint8Array; encoding?: string }): Promise<void> {
  const headers = {
    'content-type': 'application/x-protobuf',
    ...(given.encoding !== undefined && { 'content-encoding': given.encoding }),
  }
  const body = new Uint8Array(given.body)
  return ask(answers, `http://127.0.0.1:${ports['otlp/http']}/v1/traces`, { method: 'POST', headers, body })
}

function bomb(compress: (bytes: Uint8Array) => Uint8Array, encoding: string): Attack {
  const body = compress(Buffer.alloc(256 << 20))
  return { name: `256 MiB of zeros, ${encoding}`, run: (target, answers) => post(answers, target, { body, encoding }) }
}

/** A request whose spans have no bytes. */
function emptySpans(count: number): Uint8Array {
  const spans = Buffer.concat(Array.from({ length: count }, () => bytesField(2, new Uint8Array(0))))
  return bytesField(1, bytesField(2, spans))
}

/** Connections that send the beginning of something and wait. */
async function halfOpen({ ports }: Target, begin: string): Promise<void> {
  const sockets = ['otlp/http', 'otlp/grpc', 'zipkin', 'jaeger/http', 'forward', 'syslog/tcp', 'lines/tcp'].flatMap(
    (name) => Array.from({ length: 20 }, () => net.connect(ports[name]!, '127.0.0.1').on('error', () => undefined)),
  )
  for (const socket of sockets) socket.write(begin)
  await sleep(3000)
  for (const socket of sockets) socket.destroy()
}

const heavy = [
  '/traces/overview?start=0',
  '/traces/facets?start=0',
  '/events?query=time&start=0',
  '/dependencies?start=0',
]
const grpc = grpcHead('/opentelemetry.proto.collector.trace.v1.TraceService/Export')
const empty = emptySpans(200_000)

export const attacks: readonly Attack[] = [
  { name: 'HTTP/2 rapid reset', run: ({ ports }) => flood(ports['otlp/grpc']!, rapidResets(grpc, 50_000), 5) },
  { name: 'endless CONTINUATION', run: ({ ports }) => flood(ports['otlp/http']!, endlessHead(grpc, 20_000), 5) },
  { name: 'PING flood', run: ({ ports }) => flood(ports['jaeger/grpc']!, answered('ping', 200_000), 5) },
  { name: 'half a request head on 140 connections', run: (target) => halfOpen(target, 'POST /v1/tra') },
  { name: 'nothing on 140 connections', run: (target) => halfOpen(target, '') },
  bomb((bytes) => zlib.gzipSync(bytes), 'gzip'),
  bomb((bytes) => zlib.zstdCompressSync(bytes), 'zstd'),
  { name: '200,000 empty spans', run: (target, answers) => post(answers, target, { body: empty }) },
  {
    name: '50 bodies of noise',
    async run(target, answers) {
      for (let n = 0; n < 50; n++) await post(answers, target, { body: Buffer.from(`${n} noise `.repeat(5000)) })
    },
  },
  {
    name: '100 heavy searches at once',
    async run({ url }, answers) {
      const all = Array.from({ length: 100 }, (_, n) => ask(answers, `${url}/api/v1${heavy[n % heavy.length]}`))
      await Promise.all(all)
    },
  },
  {
    name: '60 searches whose clients leave',
    async run({ url }, answers) {
      for (let n = 0; n < 60; n++) {
        void ask(answers, `${url}/api/v1${heavy[n % heavy.length]}`, { signal: AbortSignal.timeout(15) })
        await sleep(10)
      }
    },
  },
  {
    name: '600 filters in one query',
    run: ({ url }, answers) =>
      ask(answers, `${url}/api/v1/traces?${Array.from({ length: 600 }, (_, n) => `attribute=k${n}%3Dv`).join('&')}`),
  },
]
