/**
 * The figures that are rolled up: for each its table, its columns, and the SQL that computes them from `spans` and
 * `events` of given intervals. The scheduler inserts that SQL's rows for closed buckets; readers run the same SQL over
 * the buckets that are still open, so that both always agree.
 *
 * Texts are grouped by their 64-bit hash, which is two to four times faster than by the texts; that two of a million
 * different ones in a bucket share a hash has a chance of one in 37 million (n² / 2^65).
 */
import { attributeKeysSql } from './attribute-keys-sql.ts'
import { edgesSql, type EdgeOptions } from './edges-sql.ts'
import { bucketSql, inIntervals, type Interval } from './intervals.ts'
import { nodesSql } from './nodes-sql.ts'

export interface Figure {
  readonly table: string
  /** Columns of the table after `generation`, `bucket` first, in the order in which `sql` gives them. */
  readonly columns: readonly string[]
  readonly sql: (intervals: readonly Interval[], options?: FigureOptions) => string
}

/** Edges look at `EdgeOptions` alone. */
export interface FigureOptions extends EdgeOptions {
  /** SQL conditions on the rows of the tables, for services, operations and attribute keys. */
  readonly only?: Readonly<Record<'spans' | 'events', string>>
}

export const quantileLevels = '0.5, 0.95, 0.99'
/** A sender whose clock went back gives a negative duration, which counts as none. */
const duration = 'greatest(duration, 0)'
const digest = `quantilesTDigestState(${quantileLevels})(${duration})`
const digestIf = (condition: string): string => `quantilesTDigestStateIf(${quantileLevels})(${duration}, ${condition})`

const isEntry = 'kind IN (2, 5)'
const isOtherRoot = `parent_span_id = toFixedString('', 8) AND NOT ${isEntry}`

const services: Figure = {
  table: 'service_figures',
  columns: [
    'bucket',
    'service_name',
    'spans',
    'errors',
    'entry_calls',
    'entry_errors',
    'entry_durations',
    'root_calls',
    'root_errors',
    'root_durations',
    'last_time',
  ],
  sql: (intervals, { only } = {}) => `SELECT * EXCEPT service, service AS service_name FROM (
    SELECT ${bucketSql('start_time')} AS bucket, any(service_name) AS service,
      count() AS spans, countIf(status_code = 2) AS errors,
      countIf(${isEntry}) AS entry_calls, countIf(${isEntry} AND status_code = 2) AS entry_errors,
      ${digestIf(isEntry)} AS entry_durations,
      countIf(${isOtherRoot}) AS root_calls, countIf(${isOtherRoot} AND status_code = 2) AS root_errors,
      ${digestIf(isOtherRoot)} AS root_durations,
      max(start_time) AS last_time
    FROM spans WHERE ${inIntervals('start_time', intervals)} AND ${only?.spans ?? '1'} GROUP BY bucket, cityHash64(service_name))`,
}

const operations: Figure = {
  table: 'operations',
  columns: ['bucket', 'service_name', 'name', 'kind', 'calls', 'errors', 'duration_sum', 'durations', 'last_time'],
  sql: (
    intervals,
    { only } = {},
  ) => `SELECT * EXCEPT (service, operation), service AS service_name, operation AS name FROM (
    SELECT ${bucketSql('start_time')} AS bucket, any(service_name) AS service, any(name) AS operation, kind,
      count() AS calls, countIf(status_code = 2) AS errors, sum(${duration}) AS duration_sum, ${digest} AS durations,
      max(start_time) AS last_time
    FROM spans WHERE ${inIntervals('start_time', intervals)} AND ${only?.spans ?? '1'} GROUP BY bucket, cityHash64(service_name, name), kind)`,
}

const edges: Figure = {
  table: 'edges',
  columns: ['bucket', 'parent', 'child', 'child_type', 'calls', 'errors', 'durations', 'first_time', 'last_time'],
  sql: (intervals, options) => edgesSql(intervals, digest, options),
}

const nodes: Figure = {
  table: 'nodes',
  columns: [
    'bucket',
    'type',
    'id',
    'service_name',
    'address',
    'version',
    'cluster',
    'cluster_type',
    'first_time',
    'last_time',
    'spans',
    'events',
    'errors',
  ],
  sql: nodesSql,
}

const attributeKeys: Figure = {
  table: 'attribute_keys',
  columns: ['bucket', 'scope', 'key', 'type', 'rows'],
  sql: (intervals, { only } = {}) => attributeKeysSql(intervals, only),
}

export const figures = { services, operations, edges, nodes, attributeKeys } as const
