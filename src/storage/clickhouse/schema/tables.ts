/**
 * The tables of schema version 1: what is stored as it arrives. Later versions change them by their own statements;
 * this file is never edited once released.
 *
 * `spans` is ordered by (5 minutes, service, name, time): a search by service reads a few runs, a time range prunes.
 * Granules of 1024 rows in compressed pieces of 8-16 KiB cost 5 bytes a span and save a third of the time of a trace
 * by id (bench/query). `traces` holds one row for each trace and block, keyed by trace id: what a list shows of it
 * (trace-summary.ts) and the time range and columns that a trace by id needs. The columns that every search reads are packed
 * by codecs that unpack quickly: times by T64, which keeps just the bits that differ, in as many bytes as Delta and ZSTD
 * and a third of the time. Figures: docs/performance.md.
 */
import { dedicatedAttributes } from '../../dedicated.ts'

const keyword = 'LowCardinality(String)'
const z = 'CODEC(ZSTD(1))'

const dedicatedTypes = { keyword, text: 'String', port: 'UInt16' } as const

const attributeMaps = [
  `attributes_string Map(${keyword}, String) ${z}`,
  `attributes_number Map(${keyword}, Float64) ${z}`,
  `attributes_other Map(${keyword}, String) ${z}`,
]

const mapIndexes = [
  'INDEX idx_string_keys mapKeys(attributes_string) TYPE bloom_filter(0.01) GRANULARITY 1',
  'INDEX idx_string_values mapValues(attributes_string) TYPE bloom_filter(0.01) GRANULARITY 1',
  'INDEX idx_number_keys mapKeys(attributes_number) TYPE bloom_filter(0.01) GRANULARITY 1',
]

const common = 'non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, old_parts_lifetime=480'

/**
 * Days and five-minute buckets are numbers since the epoch: the engine's own functions for them end in 2106 and begin
 * again in 1970, and then its index leaves out rows of wrong clocks that a range holds.
 */
const partitionBy = (time: string): string => `PARTITION BY toDate32(${time}, 'UTC')`
const bucket = (time: string): string => `intDiv(toUnixTimestamp64Nano(${time}), 300000000000)`

export const spansTable = `CREATE TABLE IF NOT EXISTS spans (
  ${[
    'trace_id FixedString(16) CODEC(LZ4)',
    'span_id FixedString(8) CODEC(NONE)',
    `parent_span_id FixedString(8) ${z}`,
    `flags UInt32 ${z}`,
    `service_name ${keyword} CODEC(LZ4)`,
    `name ${keyword} CODEC(LZ4)`,
    `kind UInt8 ${z}`,
    'start_time DateTime64(9) CODEC(T64)',
    'duration Int64 CODEC(T64, LZ4)',
    `status_code UInt8 ${z}`,
    `status_message ${keyword} ${z}`,
    `resource ${keyword} CODEC(ZSTD(3))`,
    `scope ${keyword} CODEC(ZSTD(3))`,
    ...dedicatedAttributes.map(({ column, type }) => `${column} ${dedicatedTypes[type]} ${z}`),
    ...attributeMaps,
    `events String ${z}`,
    `links String ${z}`,
    `rest String ${z}`,
    'INDEX idx_trace_id trace_id TYPE bloom_filter(0.01) GRANULARITY 1',
    ...mapIndexes,
    ...dedicatedAttributes
      .filter(({ type }) => type === 'text')
      .map(({ column }) => `INDEX idx_${column} ${column} TYPE bloom_filter(0.01) GRANULARITY 1`),
    'INDEX idx_duration duration TYPE minmax GRANULARITY 1',
  ].join(',\n  ')}
) ENGINE = MergeTree
${partitionBy('start_time')}
ORDER BY (${bucket('start_time')}, service_name, name, start_time)
SETTINGS index_granularity=1024, min_compress_block_size=8192, max_compress_block_size=16384, ${common}`

export const tracesTable = `CREATE TABLE IF NOT EXISTS traces (
  trace_id FixedString(16) ${z},
  start_time DateTime64(9) CODEC(T64),
  end_time DateTime64(9) CODEC(T64),
  span_count UInt32 ${z},
  error_count UInt32 ${z},
  root_service ${keyword} ${z},
  root_name ${keyword} ${z},
  columns UInt32 ${z},
  summary String ${z}
) ENGINE = MergeTree
${partitionBy('start_time')}
ORDER BY trace_id
SETTINGS index_granularity=128, min_compress_block_size=4096, max_compress_block_size=8192, ${common}`

export const eventsTable = `CREATE TABLE IF NOT EXISTS events (
  ${[
    'time DateTime64(9) CODEC(Delta, ZSTD(1))',
    `observed_time DateTime64(9) ${z}`,
    `time_given Bool ${z}`,
    `trace_id FixedString(16) ${z}`,
    `span_id FixedString(8) ${z}`,
    `flags UInt32 ${z}`,
    `severity_number UInt8 ${z}`,
    `severity_text ${keyword} ${z}`,
    `type ${keyword} ${z}`,
    `protocol ${keyword} ${z}`,
    `service_name ${keyword} ${z}`,
    `body String CODEC(ZSTD(3))`,
    `body_type UInt8 ${z}`,
    `resource ${keyword} CODEC(ZSTD(3))`,
    `scope ${keyword} CODEC(ZSTD(3))`,
    ...attributeMaps,
    `dropped_attributes_count UInt32 ${z}`,
    'INDEX idx_trace_id trace_id TYPE bloom_filter(0.01) GRANULARITY 1',
    ...mapIndexes,
    "INDEX idx_body body TYPE text(tokenizer = 'splitByNonAlpha', preprocessor = lower(body))",
  ].join(',\n  ')}
) ENGINE = MergeTree
${partitionBy('time')}
ORDER BY (${bucket('time')}, service_name, time)
SETTINGS index_granularity=1024, min_compress_block_size=8192, max_compress_block_size=16384, ${common}`

/** Dedicated keys that some sender gave a value of another type, so that a search must look into the maps as well. */
export const irregularKeysTable = `CREATE TABLE IF NOT EXISTS irregular_keys (key String)
ENGINE = ReplacingMergeTree ORDER BY key SETTINGS fsync_after_insert=1`
