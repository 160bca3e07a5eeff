/**
 * Who emits: service instances, hosts and pods (what they are: model/node.ts), from the resources of spans and events. A
 * resource is a dictionary entry, so its JSON is looked at once for each distinct one, after counting.
 */
import { clusterKeys, nodeKeys } from '../../../model/node.ts'
import { bucketSql, inIntervals, type Interval } from './intervals.ts'

const text = (key: string): string => `JSONExtractString(json, 'attributes', '${key}')`
const either = (first: string, second: string): string => `if(${first} != '', ${first}, ${second})`
/** The first text among the keys. */
const textOf = (keys: readonly string[]): string => keys.map(text).reduceRight((rest, first) => either(first, rest))

const clusters = clusterKeys.map(({ type, keys }, i) => ({ type, column: `cluster_${i}`, sql: textOf(keys) }))

const fields = `
  ${textOf(nodeKeys.instance)} AS instance, ${textOf(nodeKeys.pod)} AS pod, ${textOf(nodeKeys.podAddress)} AS pod_ip,
  ${textOf(nodeKeys.hostName)} AS host_name, ${textOf(nodeKeys.host)} AS host,
  JSONExtractString(json, 'attributes', '${nodeKeys.hostAddresses[0]}', 'arrayValue', 'values', 1, 'stringValue') AS host_ip,
  ${textOf(nodeKeys.version)} AS version,
  ${clusters.map(({ column, sql }) => `${sql} AS ${column}`).join(', ')},
  ${firstOf('cluster', "''", ({ column }) => column)},
  ${firstOf('cluster_type', "'none'", ({ type }) => `'${type}'`)}`

/** What `sql` gives for the first kind of cluster that the resource names. */
function firstOf(name: string, none: string, sql: (cluster: (typeof clusters)[number]) => string): string {
  const cases = clusters.map((cluster) => `${cluster.column} != '', ${sql(cluster)}`)
  return `multiIf(${cases.join(', ')}, ${none}) AS ${name}`
}

const instanceId = `multiIf(instance != '', instance, pod != '', concat(service_name, '@', pod),
  host != '', concat(service_name, '@', host), toString(service_name))`

/** [type, id, address] of each node that the resource names. */
const nodesOfResource = `arrayFilter(n -> n.2 != '', [
  ('service_instance', ${instanceId}, ${either('pod_ip', 'host_name')}),
  ('host', host, host_ip),
  ('pod', pod, pod_ip)])`

export function nodesSql(intervals: readonly Interval[]): string {
  const perResource = (table: string, time: string, counts: string): string =>
    `SELECT ${bucketSql(time)} AS bucket, any(resource) AS origin, any(service_name) AS service,
       min(${time}) AS first, max(${time}) AS last, ${counts}
     FROM ${table} WHERE ${inIntervals(time, intervals)} GROUP BY bucket, cityHash64(resource)`
  return `SELECT bucket, node.1 AS type, node.2 AS id, service_name, argMax(node.3, last) AS address,
    argMax(if(type = 'host', '', version), last) AS version, argMax(cluster, last) AS cluster, argMax(cluster_type, last) AS cluster_type,
    min(first) AS first_time, max(last) AS last_time, sum(spans) AS spans, sum(events) AS events, sum(errors) AS errors
    FROM (
      SELECT bucket, service AS service_name, first, last, spans, events, errors, toString(origin) AS json, ${fields},
        arrayJoin(${nodesOfResource}) AS node
      FROM (
        ${perResource('spans', 'start_time', 'count() AS spans, toUInt64(0) AS events, countIf(status_code = 2) AS errors')}
        UNION ALL
        ${perResource('events', 'time', 'toUInt64(0) AS spans, count() AS events, toUInt64(0) AS errors')}
      )
    ) GROUP BY bucket, type, id, service_name`
}
