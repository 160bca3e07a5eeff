import type { TraceSearchAnswer, TraceSummary } from '../api/native/contract.ts'
import { ask } from './api-client.ts'
import type { Query } from './api-client.ts'

/** The maximum number of traces in one answer of the API. */
const pageTracesMax = 1000

export interface TracePage {
  readonly traces: readonly TraceSummary[]
  /** Exact number of all matches. */
  readonly total: number
}

/**
 * Pages of a search until `limit` traces are read or there are no more. The API has a cursor only for the order by
 * time, so any other order has a single page.
 */
export async function* tracePages(server: string, query: Query, limit: number): AsyncGenerator<TracePage> {
  let left = limit
  let cursor: string | undefined
  while (left > 0) {
    const answer: TraceSearchAnswer = await ask(server, {
      path: '/traces',
      query: { ...query, limit: Math.min(left, pageTracesMax), cursor },
    })
    yield { traces: answer.traces, total: answer.total }
    left -= answer.traces.length
    cursor = answer.nextCursor
    if (cursor === undefined || answer.traces.length === 0) return
  }
}
