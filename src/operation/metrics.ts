/** clew's own figures in Prometheus text format, for `GET /metrics`; collected for each request. */
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import type { TailFigures } from '../capture/observer.ts'
import type { IntakeCounters, ProtocolCounts } from '../capture/counters.ts'
import type { ConsumerStats, Log } from '../model/log.ts'
import type { EngineState } from '../storage/clickhouse/engine.ts'
import type { PoolState } from '../storage/clickhouse/engine/session-pool.ts'
import type { FreshTraces } from '../storage/fresh-traces.ts'
import type { Consumer } from '../storage/consumer.ts'

export interface MetricSources {
  readonly counters: IntakeCounters
  readonly log: Log
  readonly engine: { state(): EngineState }
  readonly writer: Consumer
  readonly repeatedSpans: () => number
  readonly rollups: { dirtyBuckets(): ReadonlySet<number> }
  readonly fresh: FreshTraces | undefined
  readonly tailFigures: (() => TailFigures) | undefined
}

const tailMetrics = {
  clew_tail_files: ['followed', 'Files that are followed'],
  clew_tail_read_bytes_total: ['bytes', 'Bytes of followed files that are in the log'],
  clew_tail_not_utf8_total: ['notUtf8', 'Pieces of files with invalid UTF-8'],
  clew_tail_truncations_total: ['truncations', 'Files that began again under the same name'],
  clew_tail_lost_files_total: ['lost', 'Files not read to the end'],
  clew_tail_skipped_files: ['skipped', 'Files beyond the limit, not followed'],
  clew_tail_unreadable_files: ['unreadable', 'Files that hold something new, and folders, which cannot be read now'],
} as const satisfies Record<string, readonly [Exclude<keyof TailFigures, 'problem'>, string]>

const queryMetrics = {
  clew_query_sessions: ['sessions', 'Queries that can run at once'],
  clew_queries_running: ['busy', 'Queries that run now'],
  clew_queries_waiting: ['waiting', 'Queries that wait for their turn'],
  clew_query_longest_wait_milliseconds: [
    'longestWaitMs',
    'For how long the oldest of the queries that wait has waited',
  ],
  clew_query_longest_run_milliseconds: [
    'longestHoldMs',
    'For how long the oldest of the queries that run has been running',
  ],
  clew_refused_queries_total: ['refused', 'Queries refused because too many waited'],
} as const satisfies Record<string, readonly [keyof PoolState, string]>

const intakeMetrics = {
  clew_received_requests_total: ['requests', 'Requests received'],
  clew_received_rows_total: ['accepted', 'Spans and events stored'],
  clew_rejected_rows_total: ['rejected', 'Spans and events left out because they were wrong'],
  clew_repaired_values_total: ['repaired', 'Values not stored as they were sent, so that their rows could be'],
  clew_refused_requests_total: ['refused', 'Requests answered "slow down"'],
  clew_failed_requests_total: ['failed', 'Requests malformed as a whole'],
  clew_duplicate_requests_total: ['duplicates', "Requests recognised as a client's retry"],
  clew_dropped_messages_total: ['dropped', 'Messages lost before they could be read'],
  clew_received_bytes_total: ['bytes', 'Bytes as received'],
} as const satisfies Record<string, readonly [keyof ProtocolCounts, string]>

/** Adds a figure without labels: a counter when its name ends with `_total`, else a gauge. */
type AddFigure = (name: string, help: string, read: () => number) => void

export function createMetrics(sources: MetricSources): () => Promise<string> {
  const registry = new Registry()
  // By default the event loop is measured every 10 ms, which alone takes half a percent of a core.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 200 })
  for (const [name, [field, help]] of Object.entries(intakeMetrics)) {
    const counter: Counter<'protocol' | 'signal'> = new Counter({
      name,
      help,
      labelNames: ['protocol', 'signal'],
      registers: [registry],
      collect,
    })
    function collect(): void {
      counter.reset()
      for (const counts of sources.counters.all()) {
        counter.inc({ protocol: counts.protocol, signal: counts.signal }, counts[field] as number)
      }
    }
  }
  const figure: AddFigure = (name, help, read) => {
    if (!name.endsWith('_total')) {
      const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: () => gauge.set(read()) })
      return
    }
    const collect = (): void => {
      counter.reset()
      counter.inc(read())
    }
    const counter: Counter = new Counter({ name, help, registers: [registry], collect })
  }
  figure('clew_log_pending_bytes', 'Bytes in the log not yet stored', () => sources.log.stats().pendingBytes)
  figure('clew_log_disk_bytes', 'Bytes of the log on disk', () => sources.log.stats().diskBytes)
  addSinkMetrics(registry, sources.log)
  figure('clew_lost_records_total', 'Records that went from the log before the store had them', () => {
    return sources.writer.missedRecords
  })
  figure('clew_log_syncs_total', 'Syncs of the log', () => sources.log.stats().syncs)
  figure('clew_batches_in_flight_bytes', 'Decoded batches waiting for the store', () => sources.writer.queuedBytes)
  figure('clew_stored_blocks_total', 'Blocks inserted into the store', () => sources.writer.blocks)
  figure('clew_repeated_spans_total', 'Spans left out because they were stored already', sources.repeatedSpans)
  figure('clew_last_insert_milliseconds', 'Time the newest block took', () => sources.writer.lastInsertMs)
  figure('clew_rollup_pending_buckets', 'Five-minute buckets that are open or to be rolled up again', () => {
    return sources.rollups.dirtyBuckets().size
  })
  addEngineMetrics(figure, sources.engine)
  figure('clew_fresh_spans', 'Spans remembered with their place in the log', () => sources.fresh?.size.spans ?? 0)
  figure('clew_fresh_bytes', 'Memory of the places of fresh spans', () => sources.fresh?.size.bytes ?? 0)
  figure('clew_fresh_answers_total', 'Traces answered from the log', () => sources.fresh?.answers ?? 0)
  figure('clew_fresh_searches_total', 'Searches answered from the log', () => sources.fresh?.searches ?? 0)
  const { tailFigures } = sources
  if (tailFigures !== undefined) {
    for (const [name, [field, help]] of Object.entries(tailMetrics)) figure(name, help, () => tailFigures()[field])
  }
  return () => registry.metrics()
}

function addSinkMetrics(registry: Registry, log: Log): void {
  const sinkFigure = (name: string, help: string, read: (consumer: ConsumerStats) => number): void => {
    const collect = (): void => {
      for (const each of log.stats().consumers) gauge.set({ sink: each.name }, read(each))
    }
    const gauge: Gauge<'sink'> = new Gauge({ name, help, labelNames: ['sink'], registers: [registry], collect })
  }
  sinkFigure(
    'clew_sink_pending_records',
    'Records in the log that the sink has not stored',
    (each) => each.pendingRecords,
  )
  sinkFigure(
    'clew_sink_gone_records',
    'Records the log dropped that the sink has not stored',
    (each) => each.goneRecords,
  )
}

function addEngineMetrics(figure: AddFigure, engine: MetricSources['engine']): void {
  for (const [name, [field, help]] of Object.entries(queryMetrics)) {
    figure(name, help, () => engine.state().queries[field])
  }
  const engineProcess = (): EngineState['process'] => engine.state().process
  figure('clew_engine_up', 'Whether the process of the engine runs', () => (engineProcess()?.pid === undefined ? 0 : 1))
  figure('clew_engine_resident_memory_bytes', 'Memory of the process of the engine', () => {
    return engineProcess()?.rssBytes ?? 0
  })
  figure('clew_engine_restarts_total', 'How often the process of the engine was started again', () => {
    return engineProcess()?.restarts ?? 0
  })
  figure('clew_insert_milliseconds', 'For how long the insert that runs now has been running', () => {
    return engine.state().inserts.longestHoldMs
  })
}
