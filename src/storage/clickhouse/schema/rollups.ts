/**
 * The tables of schema version 2: figures computed from closed five-minute buckets of `spans` and `events`, replaced as
 * a whole when late data touches a bucket. A bucket's rows carry its `generation`; `rollup_buckets` says which
 * generation counts and is written last, so readers never see half a replacement and a crash leaves only rows that
 * nobody reads. Durations are t-digest states, which merge. `bucket` is seconds since the epoch, a multiple of 300;
 * 64 bits wide, as spans may claim any time. The tables are small, so they have no partitions.
 */
const keyword = 'LowCardinality(String)'
/** States are most of the tables: ZSTD(3) takes a third off them. */
const quantiles = 'AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), Int64) CODEC(ZSTD(3))'

function table(name: string, order: string, columns: readonly string[]): string {
  const all = ['bucket Int64', 'generation UInt64', ...columns]
  return `CREATE TABLE IF NOT EXISTS ${name} (\n  ${all.join(',\n  ')}\n) ENGINE = MergeTree ORDER BY (${order})`
}

export const rollupTables: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS rollup_buckets (
  bucket Int64,
  generation UInt64,
  span_rows UInt64,
  event_rows UInt64
) ENGINE = ReplacingMergeTree(generation) ORDER BY bucket`,
  table('service_figures', 'bucket, service_name', [
    `service_name ${keyword}`,
    'spans UInt64',
    'errors UInt64',
    'entry_calls UInt64',
    'entry_errors UInt64',
    `entry_durations ${quantiles}`,
    'root_calls UInt64',
    'root_errors UInt64',
    `root_durations ${quantiles}`,
    'last_time DateTime64(9)',
  ]),
  table('operations', 'bucket, service_name, name, kind', [
    `service_name ${keyword}`,
    `name ${keyword}`,
    'kind UInt8',
    'calls UInt64',
    'errors UInt64',
    'duration_sum Int64',
    `durations ${quantiles}`,
    'last_time DateTime64(9)',
  ]),
  table('edges', 'bucket, parent, child', [
    `parent ${keyword}`,
    `child ${keyword}`,
    `child_type ${keyword}`,
    'calls UInt64',
    'errors UInt64',
    `durations ${quantiles}`,
    'first_time DateTime64(9)',
    'last_time DateTime64(9)',
  ]),
  table('nodes', 'bucket, type, id', [
    `type ${keyword}`,
    'id String',
    `service_name ${keyword}`,
    'address String',
    `version ${keyword}`,
    `cluster ${keyword}`,
    `cluster_type ${keyword}`,
    'first_time DateTime64(9)',
    'last_time DateTime64(9)',
    'spans UInt64',
    'events UInt64',
    'errors UInt64',
  ]),
  table('attribute_keys', 'bucket, scope, key', [
    `scope ${keyword}`,
    `key ${keyword}`,
    `type ${keyword}`,
    'rows UInt64',
  ]),
]
