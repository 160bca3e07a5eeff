/** The search for events, which are log records and the events of spans: its question and its result. */
import type { EventQuery } from './query.ts'
import type { EventRow } from './span-row.ts'

export interface EventSearch {
  readonly query: EventQuery
  readonly limit: number
}

export interface EventPage {
  /** The newest events, newest first. */
  readonly events: readonly EventRow[]
  /** The number of events that match in the whole range. */
  readonly total: number
}
