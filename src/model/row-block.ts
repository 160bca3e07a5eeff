/**
 * Stored rows as columns, for reading very many of them (an export) without an object for each row. Batches are the
 * counterpart for rows on their way in. All bytes belong to the block and do not change.
 */
import type { Predicate, TimeRange } from './query.ts'
import type { SpanEventRow, SpanLinkRow, SpanRow } from './span-row.ts'

export type RowBlock = SpanRows | EventRows
export type RowSignal = RowBlock['signal']

/** Which rows are read. Without `where`: all that are in the range. */
export interface RowSelection extends TimeRange {
  readonly signals: readonly RowSignal[]
  /** Whole traces with a span in the range that meets this, and their log records, newest traces first. */
  readonly where?: Predicate
  /** The maximum number of traces read; only with `where`. */
  readonly tracesMax?: number | undefined
}

/** UTF-8 texts: the text of row i is `bytes` from `starts[i]` up to `ends[i]`. */
export interface TextColumn {
  readonly bytes: Uint8Array
  readonly starts: Uint32Array
  readonly ends: Uint32Array
}

/** Few different texts: row i has the text `texts[codes[i]]`. */
export interface CodedColumn {
  readonly texts: TextColumn
  readonly codes: Uint8Array | Uint16Array | Uint32Array
}

/** Keys and values of row i are those from `ends[i - 1]` (0 for the first row) up to `ends[i]`. */
export interface MapColumn<Values> {
  readonly ends: Uint32Array
  readonly keys: CodedColumn
  readonly values: Values
}

/** Attributes of the rows. Those of one key may be in a column of its own and in a map. */
export interface AttributeRows {
  /** Attributes with a column of their own. Empty texts and the number 0 mean "not there". */
  readonly own: readonly OwnAttribute[]
  readonly strings: MapColumn<TextColumn>
  /** Whole numbers are ints, others are doubles. */
  readonly numbers: MapColumn<Float64Array>
  /** Typed JSON (attributes.ts) of values of all other types. */
  readonly others: MapColumn<TextColumn>
}

export type OwnAttribute = { readonly key: string } & (
  | { readonly type: 'coded'; readonly column: CodedColumn }
  | { readonly type: 'text'; readonly column: TextColumn }
  | { readonly type: 'int'; readonly column: Uint16Array }
)

interface Rows {
  readonly rows: number
  /** 16 and 8 bytes a row. */
  readonly traceIds: Uint8Array
  readonly spanIds: Uint8Array
  readonly flags: Uint32Array
  /** Typed JSON (resource.ts). */
  readonly resources: CodedColumn
  readonly scopes: CodedColumn
  readonly attributes: AttributeRows
}

export interface SpanRows extends Rows {
  readonly signal: 'spans'
  /** 8 bytes a row, all zero for a root. */
  readonly parentSpanIds: Uint8Array
  readonly names: CodedColumn
  readonly kinds: Uint8Array
  /** Nanoseconds since the epoch, and end minus start. */
  readonly startTimes: BigInt64Array
  readonly durations: BigInt64Array
  readonly statusCodes: Uint8Array
  readonly statusMessages: CodedColumn
  /** Parts that few spans have; `undefined` for a span without them. */
  readonly events: (row: number) => readonly SpanEventRow[] | undefined
  readonly links: (row: number) => readonly SpanLinkRow[] | undefined
  readonly rest: (row: number) => SpanRest | undefined
}

export type SpanRest = Pick<
  SpanRow,
  'traceState' | 'droppedAttributesCount' | 'droppedEventsCount' | 'droppedLinksCount'
>

export interface EventRows extends Rows {
  readonly signal: 'events'
  readonly times: BigInt64Array
  /** 0 where the sender gave no time of its own. */
  readonly timeGiven: Uint8Array
  /** 0 where the sender gave none. */
  readonly observedTimes: BigInt64Array
  readonly severityNumbers: Uint8Array
  readonly severityTexts: CodedColumn
  readonly types: CodedColumn
  /** See event-batch.ts. */
  readonly bodyTypes: Uint8Array
  readonly bodies: TextColumn
  readonly droppedAttributes: Uint32Array
}
