/** The same log records in each protocol's own bytes: 1000 a batch, six attributes and a body of about 90 characters. */
import { encode } from '@msgpack/msgpack'
import type { Attribute } from '../../src/model/attributes.ts'
import { encodeLogs } from '../../test/support/otlp-encode.ts'

export const recordsPerBatch = 1000

interface MadeRecord {
  readonly timeNs: bigint
  readonly severity: number
  readonly service: string
  readonly body: string
  readonly fields: Readonly<Record<string, string | number>>
}

const verbs = ['accepted', 'refused', 'forwarded', 'stored', 'dropped', 'retried']

export function makeRecords(batch: number, nowMs: number): MadeRecord[] {
  return Array.from({ length: recordsPerBatch }, (_, i) => {
    const n = batch * recordsPerBatch + i
    return {
      timeNs: BigInt(nowMs) * 1_000_000n + BigInt(n) * 1000n,
      severity: n % 50 === 0 ? 17 : 9,
      service: `service-${n % 40}`,
      body: `request ${n} ${verbs[n % 6]} by worker ${n % 64} after ${n % 977} ms, ${n % 31} rows, tenant ${n % 200}`,
      fields: {
        'user.id': `u-${n % 100_000}`,
        'tenant.id': `tenant-${n % 200}`,
        route: `/api/v1/items/${n % 50}`,
        status: 200 + (n % 5),
        rows: n % 31,
        thread: `worker-${n % 64}`,
      },
    }
  })
}

export function otlpBatch(records: readonly MadeRecord[]): Buffer {
  const scope = { name: 'bench', version: '', attributes: [], dropped: 0, schemaUrl: '' }
  const byService = Map.groupBy(records, (record) => record.service)
  return encodeLogs({
    resources: [...byService].map(([service, list]) => ({
      resource: { attributes: [text('service.name', service)], dropped: 0, schemaUrl: '' },
      scopes: [{ scope, rows: list.map(otlpRecord) }],
    })),
  })
}

function otlpRecord(record: MadeRecord): Parameters<typeof encodeLogs>[0]['resources'][0]['scopes'][0]['rows'][0] {
  return {
    time: record.timeNs,
    observed: record.timeNs,
    severityNumber: record.severity,
    severityText: record.severity === 17 ? 'ERROR' : 'INFO',
    body: { type: 'string', value: record.body },
    attributes: Object.entries(record.fields).map(([key, value]) =>
      typeof value === 'string' ? text(key, value) : { key, value: { type: 'int', value: BigInt(value) } },
    ),
    dropped: 0,
    flags: 0,
    traceId: new Uint8Array(0),
    spanId: new Uint8Array(0),
    eventName: '',
  } as ReturnType<typeof otlpRecord>
}

function text(key: string, value: string): Attribute {
  return { key, value: { type: 'string', value } }
}

/** PackedForward with a chunk id: the server acknowledges it once it is durable. */
export function forwardBatch(records: readonly MadeRecord[], chunk: string): Buffer {
  const entries = records.map((record) =>
    encode([
      Number(record.timeNs / 1_000_000_000n),
      {
        message: record.body,
        level: record.severity === 17 ? 'error' : 'info',
        service: record.service,
        ...record.fields,
      },
    ]),
  )
  return Buffer.from(encode(['bench.app', Buffer.concat(entries), { chunk, size: records.length }]))
}

/** RFC 5424 with structured data, octet counting. */
export function syslogBatch(records: readonly MadeRecord[]): Buffer {
  return Buffer.concat(
    records.map((record) => {
      const data = Object.entries(record.fields)
        .map(([key, value]) => `${key}="${value}"`)
        .join(' ')
      const time = new Date(Number(record.timeNs / 1_000_000n)).toISOString()
      const line = Buffer.from(
        `<${record.severity === 17 ? 11 : 14}>1 ${time} host-1 ${record.service} 42 - [f@1 ${data}] ${record.body}`,
      )
      return Buffer.concat([Buffer.from(`${line.length} `), line])
    }),
  )
}

export function gelfBatch(records: readonly MadeRecord[]): Buffer {
  return Buffer.concat(
    records.map((record) => {
      const fields = Object.fromEntries(Object.entries(record.fields).map(([key, value]) => [`_${key}`, value]))
      const timestamp = Number(record.timeNs / 1_000_000n) / 1000
      const level = record.severity === 17 ? 3 : 6
      return Buffer.from(
        `${JSON.stringify({ version: '1.1', host: record.service, short_message: record.body, timestamp, level, ...fields })}\0`,
      )
    }),
  )
}

export function linesBatch(records: readonly MadeRecord[]): Buffer {
  return Buffer.from(
    records
      .map((record) => {
        const level = record.severity === 17 ? 'error' : 'info'
        const timestamp = new Date(Number(record.timeNs / 1_000_000n)).toISOString()
        return `${JSON.stringify({ timestamp, level, service: record.service, message: record.body, ...record.fields })}\n`
      })
      .join(''),
  )
}
