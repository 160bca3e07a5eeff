/** Find events, which are log records and the events of spans: what is asked for, and what is found. */
import type { EventQuery } from './query.ts'
import type { EventRow } from './span-row.ts'

export interface EventSearch {
  readonly query: EventQuery
  readonly limit: number
}

export interface EventPage {
  /** The newest, newest first. */
  readonly events: readonly EventRow[]
  /** Events that match in the whole range. */
  readonly total: number
}
