/** The spans that `traces` is made of: those of one request, or of a block from which some were left out. */
import { noText } from '../../../model/dictionary.ts'
import type { SpanBatch } from '../../../model/span-batch.ts'
import { utf8Slice } from '../native/byte-writer.ts'

export interface TraceSpans {
  readonly rows: number
  /** 4, 2, 2, 2 and 2 words a row; all zero for no parent. */
  readonly traceIds: Uint32Array
  readonly spanIds: Uint32Array
  readonly parentSpanIds: Uint32Array
  readonly starts: Uint32Array
  readonly durations: Uint32Array
  readonly kinds: Uint8Array
  readonly statuses: Uint8Array
  readonly nameAt: (row: number) => string
  readonly serviceAt: (row: number) => string
  /** Bits of the columns that hold something (span-block.ts). */
  readonly presentAt: (row: number) => number
}

export function traceSpansOf(batch: SpanBatch, presentAt: (row: number) => number): TraceSpans {
  const { arena, dictionary, names, resources, resourceIndexes } = batch
  return {
    rows: batch.rows,
    traceIds: wordsOf(batch.traceIds),
    spanIds: wordsOf(batch.spanIds),
    parentSpanIds: wordsOf(batch.parentSpanIds),
    starts: wordsOf(batch.startTimes),
    durations: wordsOf(batch.durations),
    kinds: batch.kinds,
    statuses: batch.statuses,
    nameAt(row) {
      const name = names[row]!
      return name === noText ? '' : utf8Slice(arena, dictionary.starts[name]!, dictionary.lengths[name]!)
    },
    serviceAt: (row) => resources[resourceIndexes[row]!]!.serviceName,
    presentAt,
  }
}

/** The column must begin at a multiple of four bytes, as those of a finished batch do. */
export function wordsOf(column: Uint8Array | BigInt64Array): Uint32Array {
  return new Uint32Array(column.buffer, column.byteOffset, column.byteLength / 4)
}
