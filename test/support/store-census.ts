/** What a store holds, counted by SQL while no clew has it open: rows, different rows, and whether summaries agree. */
import type { Engine } from '../../src/storage/clickhouse/engine.ts'

export interface Census {
  readonly spans: number
  /** Different span ids. */
  readonly spanIds: number
  readonly events: number
  /** Different bodies. */
  readonly bodies: number
  /** Sum of the summaries' span counts. */
  readonly summed: number
  /** Traces whose summaries say another number of spans or errors than they have. */
  readonly wrongTraces: number
  /** Spans by UTC day, oldest first. */
  readonly spansByDay: readonly number[]
}

export async function takeCensus(engine: Engine): Promise<Census> {
  const one = async (sql: string): Promise<number[]> => ((await engine.query<string[]>(sql))[0] ?? []).map(Number)
  const [spans = 0, spanIds = 0] = await one('SELECT count(), uniqExact(span_id) FROM spans')
  const [events = 0, bodies = 0] = await one('SELECT count(), uniqExact(body) FROM events')
  const [summed = 0] = await one('SELECT sum(span_count) FROM traces')
  const [wrongTraces = 0] = await one(`SELECT count() FROM
    (SELECT trace_id, count() AS spans, countIf(status_code = 2) AS errors FROM spans GROUP BY trace_id) AS real
    FULL JOIN
    (SELECT trace_id, sum(span_count) AS spans, sum(error_count) AS errors FROM traces GROUP BY trace_id) AS said
    USING trace_id WHERE real.spans != said.spans OR real.errors != said.errors`)
  const days = await engine.query<[string]>(
    "SELECT count() FROM spans GROUP BY toDate(start_time, 'UTC') AS day ORDER BY day",
  )
  return { spans, spanIds, events, bodies, summed, wrongTraces, spansByDay: days.map(([count]) => Number(count)) }
}
