/**
 * Finds spans that came more than once, among those that were read from the log in its order. Of spans that agree in
 * ids, kind, start, duration and name, the store keeps the first (clickhouse/once/span-identities.ts), and so do fresh
 * answers.
 */
import { entryText, idText } from '../../model/span-row-reader.ts'
import type { SpanBatch } from '../../model/span-batch.ts'

/** The rows to leave out. */
export function repeatedRows(batch: SpanBatch): ReadonlySet<number> {
  const repeated = new Set<number>()
  const firsts = new Map<number, number>()
  const identities = new Set<string>()
  const ids = new DataView(batch.spanIds.buffer, batch.spanIds.byteOffset, batch.spanIds.byteLength)
  for (let row = 0; row < batch.rows; row++) {
    // Texts are made only for the few rows that agree in half of the span id and part of the start.
    const key = ids.getUint32(row * 8 + 4) * 0x100000 + Number(batch.startTimes[row]! & 0xfffffn)
    const first = firsts.get(key)
    if (first === undefined) {
      firsts.set(key, row)
      continue
    }
    identities.add(identityAt(batch, first))
    const identity = identityAt(batch, row)
    if (identities.has(identity)) repeated.add(row)
    else identities.add(identity)
  }
  return repeated
}

function identityAt(batch: SpanBatch, row: number): string {
  const { traceIds, spanIds, kinds, startTimes, durations } = batch
  const ids = [idText(traceIds, row, 16), idText(spanIds, row, 8)]
  return [...ids, kinds[row], startTimes[row], durations[row], entryText(batch, batch.names[row]!)].join(' ')
}
