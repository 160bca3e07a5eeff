/**
 * Who emits: service instances, hosts and pods, from the resources of spans and events. A resource is a dictionary
 * entry, so its JSON is looked at once for each distinct one, after counting.
 *
 * | type | id | address |
 * |---|---|---|
 * | service_instance | service.instance.id, else service@pod, else service@host, else the service | pod's IP, else host's name |
 * | host | host.name, else host.id | first host.ip |
 * | pod | k8s.pod.name | k8s.pod.ip |
 *
 * Cluster: k8s.cluster.name, else deployment.environment.name (or its old name), else service.namespace.
 */
import { bucketSql, inIntervals, type Interval } from './intervals.ts'

const text = (key: string): string => `JSONExtractString(json, 'attributes', '${key}')`
const either = (first: string, second: string): string => `if(${first} != '', ${first}, ${second})`

const fields = `
  ${text('service.instance.id')} AS instance, ${text('k8s.pod.name')} AS pod, ${text('k8s.pod.ip')} AS pod_ip,
  ${text('host.name')} AS host_name, ${either('host_name', text('host.id'))} AS host,
  JSONExtractString(json, 'attributes', 'host.ip', 'arrayValue', 'values', 1, 'stringValue') AS host_ip,
  ${text('service.version')} AS version, ${text('k8s.cluster.name')} AS k8s,
  ${either(text('deployment.environment.name'), text('deployment.environment'))} AS environment,
  ${text('service.namespace')} AS namespace,
  multiIf(k8s != '', k8s, environment != '', environment, namespace) AS cluster,
  multiIf(k8s != '', 'k8s_cluster', environment != '', 'deployment_environment', namespace != '', 'service_namespace', 'none')
    AS cluster_type`

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
