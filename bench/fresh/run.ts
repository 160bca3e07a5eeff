/**
 * What the index of fresh spans costs: CPU of the thread that takes requests and memory, for the spans of a load, beside
 * the decoding of the same requests. The first round compiles.
 *
 *   node bench/fresh/run.ts --load DIR [--rounds 3]
 */
import { parseArgs } from 'node:util'
import { otlpTracesProtobuf } from '../../src/codec/otlp/traces-protobuf.ts'
import type { Position } from '../../src/model/log.ts'
import type { SpanBatch } from '../../src/model/span-batch.ts'
import { dedicatedAttributes } from '../../src/storage/dedicated.ts'
import { SpanIndex } from '../../src/storage/fresh/span-index.ts'
import { ValueIndex } from '../../src/storage/fresh/value-index.ts'
import { readBodies, readManifest } from '../support/load.ts'

const { values } = parseArgs({ options: { load: { type: 'string' }, rounds: { type: 'string', default: '3' } } })
if (values.load === undefined) throw new Error('--load DIR is needed')

const bodies = readBodies(values.load)
const { spans } = readManifest(values.load)
const keys = dedicatedAttributes.filter(({ type }) => type === 'text').map(({ key }) => key)

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** The trace of each row as a number, as the index of spans hands it to that of values. */
class TraceNumbers {
  readonly #numbers = new Map<string, number>()

  of({ traceIds, rows }: SpanBatch): Uint32Array {
    const entries = new Uint32Array(2 ** Math.ceil(Math.log2(rows)))
    for (let row = 0; row < rows; row++) {
      const id = Buffer.from(traceIds.buffer, traceIds.byteOffset + row * 16, 16).toString('latin1')
      let number = this.#numbers.get(id)
      if (number === undefined) this.#numbers.set(id, (number = this.#numbers.size))
      entries[row] = number
    }
    return entries
  }
}

for (let round = 1; round <= Number(values.rounds); round++) {
  const index = new SpanIndex(spans, -Infinity)
  const valueIndex = new ValueIndex(keys, spans, -Infinity)
  const numbers = new TraceNumbers()
  const ms = { decode: 0, index: 0, values: 0 }
  for (const [i, body] of bodies.entries()) {
    const started = cpuMs()
    const batch = otlpTracesProtobuf.decode(body, { receivedAtMs: 0 }).batch as SpanBatch
    const decoded = cpuMs()
    index.add(batch, { position: i as Position, atMs: i, readable: true })
    const indexed = cpuMs()
    ms.decode += decoded - started
    ms.index += indexed - decoded
    // Once more apart, as far from the decoding as in the index.
    const entries = numbers.of(batch)
    const before = cpuMs()
    valueIndex.add(batch, { position: i as Position, atMs: i, entries, first: 0 })
    ms.values += cpuMs() - before
  }
  const each = (total: number): number => +((total / 1000 / spans) * 1e6).toFixed(3)
  const megabytes = (bytes: number): number => +((bytes / spans) * 1).toFixed(1)
  console.log(
    JSON.stringify({
      round,
      cpuSecondsPerMillionSpans: { decoding: each(ms.decode), index: each(ms.index), ofWhichValues: each(ms.values) },
      megabytesPerMillionSpans: { index: megabytes(index.bytes), ofWhichValues: megabytes(valueIndex.bytes) },
      valuesPerThousandSpans: Math.round((valueIndex.pairs / spans) * 1000),
    }),
  )
}
