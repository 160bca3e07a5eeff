/** Nodes: service instances, hosts and pods that emit, and the databases, queues and others they call. */
import { nodeState, type ClusterType, type NodeFigures, type NodeType } from '../../../../model/node.ts'
import type { TimeRange } from '../../../../model/query.ts'
import type { CatalogTime } from '../../../../model/reader.ts'
import type { FigureContext } from '../figure-source.ts'
import { figureSql } from '../figure-source.ts'
import { figures } from '../../rollup/figures.ts'
import { nanosOf } from '../rows.ts'

/** These are the newest seen. */
const nodesMax = 50_000

type NodeRow = readonly [
  type: NodeType,
  id: string,
  services: string[],
  address: string,
  version: string,
  cluster: string,
  clusterType: ClusterType,
  first: string,
  last: string,
  spans: string,
  events: string,
  errors: string,
  newestSpans: string,
  newestErrors: string,
]

/** Newest seen first. */
export async function readNodes(
  context: FigureContext,
  time: CatalogTime,
  signal?: AbortSignal,
): Promise<NodeFigures[]> {
  const rows = await context.engine.query<NodeRow>(nodesSql(context, time.range), { signal })
  return rows.map((row) => {
    const [spans, errors, lastSeenNs] = [Number(row[12]), Number(row[13]), BigInt(row[8])]
    return {
      type: row[0],
      id: row[1],
      service: row[2].length === 1 ? row[2][0]! : '',
      address: row[3],
      version: row[4],
      cluster: row[5],
      clusterType: row[6],
      firstSeenNs: BigInt(row[7]),
      lastSeenNs,
      state: nodeState({ lastSeenNs, calls: spans, errors }, time.nowNs),
      spans: Number(row[9]),
      events: Number(row[10]),
      errors: Number(row[11]),
    }
  })
}

function nodesSql(context: FigureContext, range: TimeRange): string {
  const emitters = `SELECT bucket, toString(type) AS type, id, toString(service_name) AS service, address,
      toString(version) AS version, toString(cluster) AS cluster, toString(cluster_type) AS cluster_type,
      first_time, last_time, spans, events, errors
    FROM (${figureSql(figures.nodes, range, context)})`
  const peers = `SELECT bucket, toString(child_type) AS type, toString(child) AS id, '' AS service, '' AS address,
      '' AS version, '' AS cluster, 'none' AS cluster_type, first_time, last_time,
      calls AS spans, toUInt64(0) AS events, errors
    FROM (${figureSql(figures.edges, range, context)}) WHERE child_type != 'service'`
  return `SELECT type, id, arrayDistinct(arrayFlatten(groupArray(services))) AS names, argMax(address, last), argMax(version, last),
      argMax(cluster, last), argMax(cluster_type, last), ${nanosOf('min(first)')}, ${nanosOf('max(last)')},
      sum(span_sum), sum(event_sum), sum(error_sum), argMax(span_sum, bucket), argMax(error_sum, bucket)
    FROM (
      SELECT bucket, type, id, if(type = 'service_instance', service, '') AS own, groupUniqArray(2)(service) AS services,
        argMax(address, last_time) AS address, argMax(version, last_time) AS version, argMax(cluster, last_time) AS cluster,
        argMax(cluster_type, last_time) AS cluster_type, min(first_time) AS first, max(last_time) AS last,
        sum(spans) AS span_sum, sum(events) AS event_sum, sum(errors) AS error_sum
      FROM (${emitters} UNION ALL ${peers}) GROUP BY bucket, type, id, own
    ) GROUP BY type, id, own ORDER BY max(last) DESC, type, own, id LIMIT ${nodesMax}`
}
