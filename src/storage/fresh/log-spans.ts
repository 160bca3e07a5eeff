/** Reads spans from the log, at the places that the index gives, with the codec that received them. */
import type { EncodedSpan } from '../../model/encoded-span.ts'
import type { Log, Position, RecordRanges } from '../../model/log.ts'
import type { SpanBatch } from '../../model/span-batch.ts'
import type { PlacedSpan } from './span-index.ts'

/** The store reads more than this at less cost than the event loop here. */
const bytesMax = 8 << 20
const recordsMax = 4096

export type DecodeSpans = (spans: readonly EncodedSpan[]) => SpanBatch

/**
 * Returns a row for each span, after sorting the spans in place by their place in the log. Returns `too large` when
 * reading them here is not worth it, `gone` when the log no longer keeps all of them.
 */
export async function readSpans(
  log: Log,
  decode: DecodeSpans,
  spans: PlacedSpan[],
): Promise<SpanBatch | 'too large' | 'gone'> {
  spans.sort((a, b) => a.position - b.position || a.start - b.start)
  const records = recordsOf(spans)
  if (records === undefined) return 'too large'
  const bodies = await log.readRanges?.(records)
  if (bodies === undefined) return 'gone'
  const parts = bodies.flat()
  return decode(spans.map(({ resource, scope }, i) => ({ bytes: parts[i]!, resource, scope })))
}

/** The ranges to read, record by record. */
function recordsOf(spans: readonly PlacedSpan[]): RecordRanges[] | undefined {
  const records: { position: Position; ranges: [number, number][] }[] = []
  let bytes = 0
  for (const { position, start, end } of spans) {
    bytes += end - start
    const record = records.at(-1)
    if (record?.position === position) record.ranges.push([start, end])
    else records.push({ position, ranges: [[start, end]] })
  }
  return bytes > bytesMax || records.length > recordsMax ? undefined : records
}
