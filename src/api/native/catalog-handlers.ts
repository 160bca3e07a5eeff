/** Handlers of the routes about services, nodes, clusters, the system and attributes. */
import { nowNanos, printTime } from '../../base/time.ts'
import { spanKinds } from '../../model/span-batch.ts'
import { readAttributeKeys, readAttributeValues } from '../../storage/clickhouse/read/catalog/attributes.ts'
import { readClusters } from '../../storage/clickhouse/read/catalog/clusters.ts'
import { readDependencies } from '../../storage/clickhouse/read/catalog/dependencies.ts'
import { readNodes } from '../../storage/clickhouse/read/catalog/nodes.ts'
import { readOperations, readServices } from '../../storage/clickhouse/read/catalog/services.ts'
import { readSystem } from '../../storage/clickhouse/read/catalog/system.ts'
import type {
  AttributeKeysAnswer,
  AttributeValuesAnswer,
  ClustersAnswer,
  DependenciesAnswer,
  NodesAnswer,
  OperationsAnswer,
  ServicesAnswer,
  SystemAnswer,
} from './contract.ts'
import type { Handlers } from './handler.ts'
import { rangeOf } from './parameters.ts'

export const catalogHandlers = {
  async services(context, { query, signal }): Promise<ServicesAnswer> {
    const services = await readServices(context, rangeOf(query), signal)
    return {
      services: services.map((service) => ({
        name: service.name,
        calls: service.calls,
        errors: service.errors,
        spans: service.spans,
        ...printQuantiles(service),
        lastSeen: printTime(service.lastSeenNs),
      })),
    }
  },
  async operations(context, { path, query, signal }): Promise<OperationsAnswer> {
    const operations = await readOperations(context, path['service']!, rangeOf(query), signal)
    return {
      operations: operations.map((operation) => ({
        name: operation.name,
        kind: spanKinds[operation.kind] ?? 'unspecified',
        calls: operation.calls,
        errors: operation.errors,
        totalNano: operation.totalNs.toString(),
        ...printQuantiles(operation),
      })),
    }
  },
  async dependencies(context, { query, signal }): Promise<DependenciesAnswer> {
    const edges = await readDependencies(context, rangeOf(query), signal)
    return {
      edges: edges.map(({ parent, child, childType, calls, errors, p50Ns, p95Ns }) => ({
        parent,
        child,
        childType,
        calls,
        errors,
        p50Nano: p50Ns.toString(),
        p95Nano: p95Ns.toString(),
      })),
    }
  },
  async nodes(context, { query, signal }): Promise<NodesAnswer> {
    const nodes = await readNodes(context, { range: rangeOf(query), nowNs: nowNanos() }, signal)
    return {
      nodes: nodes.map(({ firstSeenNs, lastSeenNs, clusterType: _clusterType, ...node }) => ({
        ...node,
        firstSeen: printTime(firstSeenNs),
        lastSeen: printTime(lastSeenNs),
      })),
    }
  },
  async clusters(context, { query, signal }): Promise<ClustersAnswer> {
    const clusters = await readClusters(context, { range: rangeOf(query), nowNs: nowNanos() }, signal)
    return { clusters: clusters.map((cluster) => ({ ...cluster, services: [...cluster.services] })) }
  },
  async system(context, { query, signal }): Promise<SystemAnswer> {
    const system = await readSystem(context, { range: rangeOf(query), nowNs: nowNanos() }, signal)
    return { ...system, components: [...system.components] }
  },
  async attributeKeys(context, { query, signal }): Promise<AttributeKeysAnswer> {
    return { keys: await readAttributeKeys(context, rangeOf(query), signal) }
  },
  async attributeValues(context, { path, query, signal }): Promise<AttributeValuesAnswer> {
    const { limit } = query
    return { values: await readAttributeValues(context, { key: path['key']!, range: rangeOf(query), limit, signal }) }
  },
} satisfies Partial<Handlers>

interface Quantiles {
  readonly p50Ns: bigint
  readonly p95Ns: bigint
  readonly p99Ns: bigint
}

function printQuantiles({ p50Ns, p95Ns, p99Ns }: Quantiles): { p50Nano: string; p95Nano: string; p99Nano: string } {
  return { p50Nano: p50Ns.toString(), p95Nano: p95Ns.toString(), p99Nano: p99Ns.toString() }
}
