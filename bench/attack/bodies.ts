/** Request bodies that were made to cost much for their size, and usual ones. */

export interface AttackBody {
  readonly name: string
  /** Name of the listener. */
  readonly port: string
  readonly path: string
  readonly type: string
  readonly body: () => Buffer
}

const mib = 1 << 20
const traceId = Buffer.alloc(16, 1)
const spanId = Buffer.alloc(8, 2)

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128)
  return Buffer.from([...bytes, value])
}

/** A field of protobuf that has a length. */
function field(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), varint(content.length), content])
}

function spansRequest(rows: readonly Buffer[]): Buffer {
  return field(0x0a, field(0x12, Buffer.concat(rows)))
}

/** A trace id that no other span has, whatever hash a table uses. */
function ownId(i: number): Buffer {
  const id = Buffer.alloc(16, 1)
  id.writeUInt32LE(Math.imul(i, 0x9e3779b1) >>> 0)
  id.writeUInt32LE(i + 1, 4)
  return id
}

function minimalSpans(count: number, idOf: (i: number) => Buffer): Buffer {
  return spansRequest(Array.from({ length: count }, (_, i) => field(0x12, field(0x0a, idOf(i)), field(0x12, spanId))))
}

function oneSpan(fields: readonly Buffer[]): Buffer {
  return spansRequest([field(0x12, field(0x0a, traceId), field(0x12, spanId), Buffer.concat(fields))])
}

function keyValue(key: string): Buffer {
  return field(0x4a, field(0x0a, Buffer.from(key)), field(0x12, Buffer.from([0x10, 1])))
}

function usualSpans(count: number): Buffer {
  const attributes = Array.from({ length: 12 }, (_, i) =>
    field(0x4a, field(0x0a, Buffer.from(`app.key.${i}`)), field(0x12, field(0x0a, Buffer.from(`value ${i}`)))),
  )
  const start = Buffer.alloc(8)
  start.writeBigUInt64LE(BigInt(Date.now()) * 1_000_000n)
  const times = [Buffer.from([0x39]), start, Buffer.from([0x41]), start]
  const rows = Array.from({ length: count }, (_, i) =>
    field(
      0x12,
      field(0x0a, ownId(i >> 3)),
      field(0x12, ownId(i).subarray(0, 8)),
      field(0x2a, Buffer.from(`GET /${i % 50}`)),
      ...times,
      ...attributes,
    ),
  )
  return spansRequest(rows)
}

function repeated(part: string, bytes: number, head = '', tail = ''): Buffer {
  const count = Math.floor((bytes - head.length - tail.length) / part.length)
  return Buffer.concat([Buffer.from(head), Buffer.alloc(count * part.length, part), Buffer.from(tail)])
}

const otlp = { port: 'otlp/http', path: '/v1/traces', type: 'application/x-protobuf' }
const json = { port: 'otlp/http', path: '/v1/traces', type: 'application/json' }
const zipkin = { port: 'zipkin', path: '/api/v2/spans', type: 'application/json' }
const events = { port: 'otlp/http', path: '/events', type: 'application/json' }

export const bodies: readonly AttackBody[] = [
  { ...otlp, name: 'usual: 1000 OTLP spans', body: () => usualSpans(1000) },
  { ...otlp, name: 'usual: 50,000 OTLP spans', body: () => usualSpans(50_000) },
  { ...otlp, name: 'a million smallest spans of one trace', body: () => minimalSpans(1_000_000, () => traceId) },
  { ...otlp, name: 'a million smallest spans, each a trace', body: () => minimalSpans(1_000_000, ownId) },
  {
    ...otlp,
    name: 'a span of a million keys',
    body: () => oneSpan(Array.from({ length: 1_000_000 }, (_, i) => keyValue(i.toString(36)))),
  },
  {
    ...otlp,
    name: 'a span of 500,000 events',
    body: () => oneSpan([Buffer.alloc(1_000_000, Buffer.from([0x5a, 0]))]),
  },
  {
    ...otlp,
    name: '64 MiB of empty spans (refused)',
    body: () => spansRequest([Buffer.alloc(63 * mib, Buffer.from([0x12, 0]))]),
  },
  {
    ...otlp,
    name: '20,000 services in one trace',
    body: () =>
      Buffer.concat(
        Array.from({ length: 20_000 }, (_, i) => {
          const name = field(0x12, field(0x0a, Buffer.from(`service-${i}`)))
          const resource = field(0x0a, field(0x0a, field(0x0a, Buffer.from('service.name')), name))
          return field(0x0a, resource, field(0x12, field(0x12, field(0x0a, traceId), field(0x12, spanId))))
        }),
      ),
  },
  {
    ...json,
    name: '60 MiB of smallest spans, OTLP JSON',
    body: () =>
      repeated(
        `{"traceId":"${'1'.repeat(32)}","spanId":"${'2'.repeat(16)}"},`,
        60 * mib,
        '{"resourceSpans":[{"scopeSpans":[{"spans":[',
        '{}]}]}]}',
      ),
  },
  {
    ...zipkin,
    name: 'smallest spans, 48 MiB of Zipkin JSON',
    body: () => repeated('{"traceId":"1111111111111111","id":"2222222222222222"},', 48 * mib, '[', '{}]'),
  },
  { ...zipkin, name: '60 MiB of brackets, Zipkin JSON (refused)', body: () => repeated('[', 60 * mib) },
  { ...events, name: 'a million empty events', body: () => Buffer.alloc(3_000_000, '{}\n') },
  {
    ...events,
    name: '64 MiB of lines of text (refused)',
    type: 'text/plain',
    body: () => Buffer.alloc(63 * mib, 'a\n'),
  },
]
