/** Questions of the writer to the store: which traces and spans does it have already? */
import type { Engine } from '../engine.ts'
import { nanosOf } from '../read/rows.ts'
import {
  identityAt,
  printIdentity,
  spanIdAt,
  startAt,
  traceIdAt,
  type Identity,
  type SpanIdentities,
} from './span-identities.ts'

type Asked = Pick<Engine, 'query'>

/** A query's text must stay below 256 KiB, and holds each id twice as 16 or 32 digits. */
const tracesPerQuery = 3000
const spansPerQuery = 2000

/** Those of the traces that have rows in `traces`, and whether one of these is of the block with this tag. */
export async function readStoredTraces(
  engine: Asked,
  traceIds: readonly string[],
  blockTag: number,
): Promise<Map<string, boolean>> {
  const found = new Map<string, boolean>()
  for (let from = 0; from < traceIds.length; from += tracesPerQuery) {
    const some = traceIds.slice(from, from + tracesPerQuery)
    const rows = await engine.query<[string, number]>(
      `SELECT lower(hex(trace_id)), max(block_tag = {blockTag:UInt32}) FROM traces
       WHERE trace_id IN (${idsOf('ids', 16)}) GROUP BY trace_id`,
      { parameters: { blockTag, ids: some.join('') }, settings: { max_threads: 1 } },
    )
    for (const [traceId, isOfBlock] of rows) found.set(traceId, isOfBlock === 1)
  }
  return found
}

/** Calls `found` with each of the block's `rows` whose span the store has. No two of them are the same span. */
export async function readStoredSpans(
  engine: Asked,
  spans: SpanIdentities,
  rows: readonly number[],
  found: (row: number) => void,
): Promise<void> {
  // In order of time, so that each query looks at a short stretch of it.
  const { starts } = spans
  const ordered = [...rows].sort(
    (a, b) => (starts[a * 2 + 1]! | 0) - (starts[b * 2 + 1]! | 0) || starts[a * 2]! - starts[b * 2]!,
  )
  for (let from = 0; from < ordered.length; from += spansPerQuery) {
    const some = ordered.slice(from, from + spansPerQuery)
    const asked = new Map(some.map((row) => [identityAt(spans, row), row]))
    for (const identity of await readSpans(engine, spans, some)) {
      const row = asked.get(identity)
      if (row !== undefined) found(row)
    }
  }
}

/** Spans with these ids in the time of the rows, which are in order of time. */
async function readSpans(engine: Asked, spans: SpanIdentities, rows: readonly number[]): Promise<string[]> {
  const traceIds = [...new Set(rows.map((row) => traceIdAt(spans, row)))]
  const spanIds = [...new Set(rows.map((row) => spanIdAt(spans, row)))]
  const times = { from: startAt(spans, rows[0]!), to: startAt(spans, rows.at(-1)!) }
  const stored = await engine.query<Identity>(
    `SELECT DISTINCT lower(hex(trace_id)), lower(hex(span_id)), kind, ${nanosOf('start_time')}, duration, toString(name) FROM spans
     WHERE start_time >= {from:DateTime64(9)} AND start_time <= {to:DateTime64(9)}
       AND trace_id IN (${idsOf('traceIds', 16)}) AND span_id IN (${idsOf('spanIds', 8)})`,
    { parameters: { ...times, traceIds: traceIds.join(''), spanIds: spanIds.join('') }, settings: { max_threads: 1 } },
  )
  return stored.map(printIdentity)
}

/**
 * The ids in a parameter that holds their hex digits without anything between. As one text, because a list of 3000 texts
 * takes the engine longer to parse than to look up.
 */
function idsOf(parameter: string, bytes: number): string {
  return `SELECT toFixedString(substring(unhex({${parameter}:String}), 1 + number * ${bytes}, ${bytes}), ${bytes})
    FROM numbers(intDiv(length({${parameter}:String}), ${bytes * 2}))`
}
