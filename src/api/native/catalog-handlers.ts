/** Handlers of the routes about services, nodes, clusters, the system and attributes. */
import { nowNanos, printTime } from '../../base/time.ts'
import { spanKinds } from '../../model/span-batch.ts'
import type { Quantiles } from '../../model/figures.ts'
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
  async services({ reader }, { query, signal }): Promise<ServicesAnswer> {
    const services = await reader.readServices(rangeOf(query), { signal })
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
  async operations({ reader }, { path, query, signal }): Promise<OperationsAnswer> {
    const operations = await reader.readOperations(path['service']!, rangeOf(query), { signal })
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
  async dependencies({ reader }, { query, signal }): Promise<DependenciesAnswer> {
    const edges = await reader.readDependencies(rangeOf(query), { signal })
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
  async nodes({ reader }, { query, signal }): Promise<NodesAnswer> {
    const nodes = await reader.readNodes({ range: rangeOf(query), nowNs: nowNanos() }, { signal })
    return {
      nodes: nodes.map(({ firstSeenNs, lastSeenNs, clusterType: _clusterType, ...node }) => ({
        ...node,
        firstSeen: printTime(firstSeenNs),
        lastSeen: printTime(lastSeenNs),
      })),
    }
  },
  async clusters({ reader }, { query, signal }): Promise<ClustersAnswer> {
    const clusters = await reader.readClusters({ range: rangeOf(query), nowNs: nowNanos() }, { signal })
    return { clusters: clusters.map((cluster) => ({ ...cluster, services: [...cluster.services] })) }
  },
  async system({ reader }, { query, signal }): Promise<SystemAnswer> {
    const system = await reader.readSystem({ range: rangeOf(query), nowNs: nowNanos() }, { signal })
    return { ...system, components: [...system.components] }
  },
  async attributeKeys({ reader }, { query, signal }): Promise<AttributeKeysAnswer> {
    return { keys: await reader.readAttributeKeys(rangeOf(query), { signal }) }
  },
  async attributeValues({ reader }, { path, query, signal }): Promise<AttributeValuesAnswer> {
    const { limit } = query
    return { values: await reader.readAttributeValues({ key: path['key']!, range: rangeOf(query), limit }, { signal }) }
  },
} satisfies Partial<Handlers>

function printQuantiles({ p50Ns, p95Ns, p99Ns }: Quantiles): { p50Nano: string; p95Nano: string; p99Nano: string } {
  return { p50Nano: p50Ns.toString(), p95Nano: p95Ns.toString(), p99Nano: p99Ns.toString() }
}
