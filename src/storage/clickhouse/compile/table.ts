/** What a predicate can ask of a table: its intrinsics, and where the attributes of its rows are. */
import type { Intrinsic } from '../../../model/query.ts'
import type { Conditions } from './conditions.ts'

export interface CompiledTable {
  /** The place of the attributes in the maps of the row. */
  readonly own: 'span' | 'event'
  /** Undefined for what the rows do not have. */
  readonly intrinsics: Partial<Readonly<Record<Intrinsic['name'], IntrinsicSql>>>
  /** Met when some text of the row contains this one (`word` in model/query.ts). */
  readonly wordSql: (word: string, conditions: Conditions) => string
}

export function textColumn(sql: string): IntrinsicSql {
  return { type: 'text', sql }
}

export interface IntrinsicSql {
  readonly type: 'text' | 'number' | 'status' | 'kind' | 'id' | 'time'
  /** An expression that is never NULL; for a list, of an array. */
  readonly sql: string
  /** For an id its bytes: 16 or 8. */
  readonly bytes?: 8 | 16
  readonly isList?: boolean
  /** When it holds a value; always when not given. */
  readonly exists?: string
  /** For what is known of the whole trace: `sql` is evaluated over the rows of the trace in `traces`. */
  readonly ofTrace?: boolean
}
