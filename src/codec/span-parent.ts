/** Corrects what senders get wrong about parents. */
import type { SpanBatchBuilder } from '../model/span-batch.ts'

/** A span that names itself as its parent has none, as in Zipkin; otherwise its trace would have no root. */
export function clearOwnParent({ spanIds, parentSpanIds }: SpanBatchBuilder, row: number): void {
  const from = row * 8
  for (let i = from; i < from + 8; i++) if (spanIds[i] !== parentSpanIds[i]) return
  parentSpanIds.fill(0, from, from + 8)
}
