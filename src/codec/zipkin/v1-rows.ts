/** v1 spans of any encoding as rows, by way of the v2 spans that they stand for. */
import type { SpanRows } from '../span-rows.ts'
import { loadPlainSpan } from './plain-span.ts'
import type { ZipkinRows } from './rows.ts'
import { ZipkinSpan } from './span.ts'
import { convertV1, type V1Span } from './v1-span.ts'

const span = new ZipkinSpan()

/** Appends the rows of one v1 span, or counts a rejection when given a reason instead of a span. */
export function addV1(source: V1Span | string, rows: SpanRows, zipkinRows: ZipkinRows): void {
  if (typeof source === 'string') return rows.reject(source)
  for (const plain of convertV1(source)) {
    loadPlainSpan(plain, span, rows.builder)
    zipkinRows.add(span)
  }
}
