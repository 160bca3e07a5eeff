/**
 * What a record costs in each protocol beside OTLP, in one run: CPU of a running clew per million records, through the
 * store, each protocol alone and in turn. Spans are compared with OTLP spans, records with OTLP logs.
 *
 *   node bench/capture/run.ts --load DIR [--records 200000]
 *
 * DIR holds spans as OTLP protobuf and as Zipkin JSON (bench/load/generate.ts --zipkin).
 */
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startClew, type MeasuredClew } from '../support/clew.ts'
import * as made from './records.ts'

const { values } = parseArgs({ options: { load: { type: 'string' }, records: { type: 'string', default: '200000' } } })
if (values.load === undefined) throw new Error('--load DIR is needed')
const loadDir = values.load
const batches = Math.ceil(Number(values.records) / made.recordsPerBatch)

interface Case {
  readonly name: string
  readonly signal: 'spans' | 'events'
  /** Rows sent. */
  readonly send: (clew: MeasuredClew) => Promise<void>
}

const cases: readonly Case[] = [
  {
    name: 'otlp spans',
    signal: 'spans',
    send: (clew) => sendFiles(clew, '.pb', 'otlp/http', '/v1/traces', 'application/x-protobuf'),
  },
  {
    name: 'zipkin json spans',
    signal: 'spans',
    send: (clew) => sendFiles(clew, '.json', 'zipkin', '/api/v2/spans', 'application/json'),
  },
  {
    name: 'otlp logs',
    signal: 'events',
    send: (clew) =>
      sendRecords(
        (i) => made.otlpBatch(records(i)),
        httpSender(clew, 'otlp/http', '/v1/logs', 'application/x-protobuf'),
      ),
  },
  { name: 'forward with acknowledgement', signal: 'events', send: (clew) => sendForward(clew) },
  { name: 'syslog tcp', signal: 'events', send: (clew) => sendStream(clew, 'syslog/tcp', made.syslogBatch) },
  { name: 'gelf tcp', signal: 'events', send: (clew) => sendStream(clew, 'gelf/tcp', made.gelfBatch) },
  { name: 'json lines tcp', signal: 'events', send: (clew) => sendStream(clew, 'lines/tcp', made.linesBatch) },
]

const reference = new Map<string, number>()
for (const { name, signal, send } of cases) {
  const clew = await startClew()
  try {
    await quiet(clew)
    const before = clew.cpuSeconds()
    await send(clew)
    const rows = await quiet(clew)
    const perMillion = ((clew.cpuSeconds() - before) / rows[signal]) * 1e6
    if (!reference.has(signal)) reference.set(signal, perMillion)
    const ratio = +(perMillion / reference.get(signal)!).toFixed(2)
    console.log(JSON.stringify({ name, rows: rows[signal], cpuPerMillion: +perMillion.toFixed(2), ofOtlp: ratio }))
  } finally {
    await clew.stop()
  }
}

function records(batch: number): ReturnType<typeof made.makeRecords> {
  return made.makeRecords(batch, Date.now())
}

/** Until the process uses next to no CPU for two seconds; the rows stored. */
async function quiet(clew: MeasuredClew): Promise<{ spans: number; events: number }> {
  for (;;) {
    const before = clew.cpuSeconds()
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const { stored } = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as {
      stored: { spans: number; events: number }
    }
    if (clew.cpuSeconds() - before < 0.1) return stored
  }
}

type Sender = (body: Buffer) => Promise<void>

function httpSender(clew: MeasuredClew, port: string, route: string, type: string): Sender {
  const agent = new http.Agent({ keepAlive: true })
  return (body) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': type, 'content-length': body.length }
      http
        .request(`http://127.0.0.1:${clew.ports[port]}${route}`, { method: 'POST', agent, headers }, (response) => {
          const ok = response.statusCode! < 300
          response.resume().on('end', () => (ok ? resolve() : reject(new Error(`${route}: ${response.statusCode}`))))
        })
        .on('error', reject)
        .end(body)
    })
}

async function sendFiles(
  clew: MeasuredClew,
  ending: string,
  ...[port, route, type]: [string, string, string]
): Promise<void> {
  const names = fs
    .readdirSync(loadDir)
    .filter((name) => name.endsWith(ending) && name.startsWith('batch-'))
    .sort()
  const send = httpSender(clew, port, route, type)
  await sendRecords((i) => fs.readFileSync(path.join(loadDir, names[i]!)), send, Math.min(names.length, batches))
}

/** Four at a time. */
async function sendRecords(body: (batch: number) => Buffer, send: Sender, count = batches): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await send(body(next++))
  }
  await Promise.all(Array.from({ length: 4 }, worker))
}

async function sendForward(clew: MeasuredClew): Promise<void> {
  const socket = net.connect(clew.ports['forward']!, '127.0.0.1')
  let acknowledged = 0
  let wake = (): void => {}
  socket.on('data', (data: Buffer) => {
    acknowledged += data.toString('latin1').split('ack').length - 1
    wake()
  })
  for (let i = 0; i < batches; i++) {
    socket.write(made.forwardBatch(records(i), `chunk-${i}`))
    while (i - acknowledged >= 4) await new Promise<void>((resolve) => (wake = resolve))
  }
  while (acknowledged < batches) await new Promise<void>((resolve) => (wake = resolve))
  socket.end()
}

async function sendStream(
  clew: MeasuredClew,
  port: string,
  encode: (records: ReturnType<typeof made.makeRecords>) => Buffer,
): Promise<void> {
  const socket = net.connect(clew.ports[port]!, '127.0.0.1')
  for (let i = 0; i < batches; i++) {
    if (!socket.write(encode(records(i)))) await new Promise((resolve) => socket.once('drain', resolve))
  }
  await new Promise<void>((resolve) => socket.end(() => resolve()))
}
