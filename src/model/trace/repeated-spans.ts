/**
 * The same span sent twice. OTLP clients send again what was not acknowledged in time, and a Collector may then put it
 * into another batch. Two spans are the same one when they agree in trace, span id, kind, start and name; the halves of
 * a Zipkin call agree only in the id.
 */
import { indexIds } from './shared-ids.ts'
import type { IdIndex } from './shared-ids.ts'
import type { TreeSpans } from './trace-tree.ts'

type Repeatable<Id> = Pick<TreeSpans<Id>, 'count' | 'ids' | 'noId' | 'kinds' | 'names'> & {
  readonly starts: ArrayLike<number | bigint>
  readonly lengths: ArrayLike<number | bigint>
}

/** For each span the one to show: itself, or the longest of its copies; of equally long ones the first in `order`. */
export function repeatedSpans<Id>(
  { ids, kinds, starts, lengths, names }: Repeatable<Id>,
  order: Iterable<number>,
  { firstOf }: Pick<IdIndex<Id>, 'firstOf'>,
): Int32Array {
  const shownAs = new Int32Array(firstOf.length)
  for (let span = 0; span < shownAs.length; span++) shownAs[span] = span
  const keyOf = (span: number): string => `${String(ids[span])} ${kinds[span]} ${String(starts[span])} ${names[span]}`
  const longest = new Map<string, number>()
  const repeated: number[] = []
  for (const span of order) {
    // Keys are made only for ids that come more than once. Few do.
    const first = firstOf[span]!
    if (first === span) continue
    const firstKey = keyOf(first)
    if (!longest.has(firstKey)) longest.set(firstKey, first)
    const key = keyOf(span)
    const known = longest.get(key)
    if (known === undefined || lengths[span]! > lengths[known]!) longest.set(key, span)
    if (known !== undefined) repeated.push(span, known)
  }
  for (const span of repeated) shownAs[span] = longest.get(keyOf(span))!
  return shownAs
}

/** What identifies a span among those of its trace, and its length. */
export interface SpanIdentity {
  readonly spanId: string
  readonly kind: number
  readonly startTimeUnixNano: bigint
  readonly durationNano: bigint
  readonly name: string
}

/** The rows of one trace, in the order given, each span once. */
export function withoutRepeats<Row extends SpanIdentity>(rows: readonly Row[]): Row[] {
  const spans = {
    count: rows.length,
    ids: rows.map(({ spanId }) => spanId),
    noId: '',
    kinds: rows.map(({ kind }) => kind),
    starts: rows.map(({ startTimeUnixNano }) => startTimeUnixNano),
    lengths: rows.map(({ durationNano }) => durationNano),
    names: rows.map(({ name }) => name),
  }
  const shownAs = repeatedSpans(spans, rows.keys(), indexIds(spans, rows.keys()))
  return rows.filter((_, row) => shownAs[row] === row)
}
