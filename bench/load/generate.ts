/**
 * Makes a folder of request bodies for the benches (form: bench/support/load.ts).
 *
 *   node bench/load/generate.ts --out DIR [--spans 1000000] [--per-file 1000] [--seed 1] [--window-s 3600] [--zipkin]
 *
 * With --zipkin also `batch-*.json`, the same spans as Zipkin v2 JSON.
 */
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { plainText } from '../../src/model/resource.ts'
import { encodeTraces } from '../../test/support/otlp-encode.ts'
import { resourceOf, serviceName, TraceMaker, type MadeSpan } from './traces.ts'

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    spans: { type: 'string', default: '1000000' },
    'per-file': { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    'window-s': { type: 'string', default: '3600' },
    zipkin: { type: 'boolean', default: false },
  },
})
if (values.out === undefined) throw new Error('--out DIR is needed')
const out = values.out
const wanted = Number(values.spans)
const perFile = Number(values['per-file'])
const windowMs = Number(values['window-s']) * 1000
const startMs = Date.now() - windowMs
fs.mkdirSync(out, { recursive: true })

/** By OTLP span kind. */
const zipkinKinds = [undefined, undefined, 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']

const maker = new TraceMaker(Number(values.seed))
const sample = []
let pending: MadeSpan[] = []
let [spans, traces, files] = [0, 0, 0]
const gapMs = windowMs / (wanted / 13)
for (let atMs = startMs; spans < wanted; atMs += gapMs * (0.5 + maker.random())) {
  const trace = maker.trace(BigInt(Math.floor(Math.min(atMs, startMs + windowMs))) * 1_000_000n, wanted - spans)
  const root = trace.spans[0]!
  spans += trace.spans.length
  if (traces++ % 40 === 0) {
    sample.push({
      id: Buffer.from(root.span.traceId).toString('hex'),
      spans: trace.spans.length,
      rootService: serviceName(root.service),
      rootOp: root.span.name,
      user: trace.user,
      startMs: Number(root.span.start / 1_000_000n),
    })
  }
  pending.push(...trace.spans)
  // Spans leave when they end, up to two seconds of traces mixed, as exporters send them.
  while (pending.length >= perFile * 3) writeFile(takeEnded(perFile))
}
while (pending.length > 0) writeFile(takeEnded(perFile))
const manifest = { spans, traces, files, startMs, endMs: startMs + windowMs, sample }
fs.writeFileSync(path.join(out, 'manifest.json'), JSON.stringify(manifest))
console.log(JSON.stringify({ ...manifest, sample: sample.length }))

function takeEnded(count: number): MadeSpan[] {
  pending.sort((a, b) => (a.span.end < b.span.end ? -1 : a.span.end > b.span.end ? 1 : 0))
  const taken = pending.slice(0, count)
  pending = pending.slice(count)
  return taken
}

function writeFile(batch: readonly MadeSpan[]): void {
  const groups = new Map<string, MadeSpan[]>()
  for (const made of batch) {
    const key = `${made.service}/${made.instance}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [made])
    else group.push(made)
  }
  const scope = { name: 'bench', version: '1.0', attributes: [], dropped: 0, schemaUrl: '' }
  const resources = [...groups.values()].map((group) => ({
    resource: { attributes: resourceOf(group[0]!.service, group[0]!.instance), dropped: 0, schemaUrl: '' },
    scopes: [{ scope, rows: group.map(({ span }) => span) }],
  }))
  const name = path.join(out, `batch-${String(files++).padStart(6, '0')}`)
  fs.writeFileSync(`${name}.pb`, encodeTraces({ resources }))
  if (values.zipkin) fs.writeFileSync(`${name}.json`, JSON.stringify(batch.map(zipkinSpan)))
}

function zipkinSpan({ span, service, instance }: MadeSpan): object {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  const attributes = [...resourceOf(service, instance).slice(1), ...span.attributes]
  return {
    traceId: hex(span.traceId),
    id: hex(span.spanId),
    ...(span.parentSpanId.length === 0 ? {} : { parentId: hex(span.parentSpanId) }),
    name: span.name,
    ...(zipkinKinds[span.kind] === undefined ? {} : { kind: zipkinKinds[span.kind] }),
    timestamp: Number(span.start / 1000n),
    duration: Math.max(1, Number((span.end - span.start) / 1000n)),
    localEndpoint: { serviceName: serviceName(service), ipv4: `10.0.${service}.${instance + 1}` },
    tags: Object.fromEntries(attributes.map(({ key, value }) => [key, plainText(value)])),
    ...(span.events.length === 0
      ? {}
      : { annotations: span.events.map((event) => ({ timestamp: Number(event.time / 1000n), value: event.name })) }),
  }
}
