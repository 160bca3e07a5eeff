/** Clusters: nodes that belong together, derived from the nodes. */
import { readNodes, type CatalogTime, type ClusterType, type NodeFigures } from './nodes.ts'
import type { FigureContext } from '../figure-source.ts'

export interface ClusterFigures {
  /** '' with type `none`: nodes that say nothing of a cluster. */
  readonly name: string
  readonly type: ClusterType
  /** Nodes in it. */
  readonly size: number
  readonly state: 'up' | 'degraded' | 'stale'
  /** In order of name. */
  readonly services: readonly string[]
}

export async function readClusters(
  context: FigureContext,
  time: CatalogTime,
  signal?: AbortSignal,
): Promise<ClusterFigures[]> {
  return clustersOf(await readNodes(context, time, signal))
}

/** In order of name. Databases and the like say nothing of where they are, so they belong to none. */
export function clustersOf(nodes: readonly NodeFigures[]): ClusterFigures[] {
  const members = new Map<string, NodeFigures[]>()
  for (const node of nodes) {
    if (node.type === 'database' || node.type === 'messaging' || node.type === 'external') continue
    const key = `${node.clusterType}\0${node.cluster}`
    const list = members.get(key)
    if (list === undefined) members.set(key, [node])
    else list.push(node)
  }
  return [...members.values()]
    .map((list) => ({
      name: list[0]!.cluster,
      type: list[0]!.clusterType,
      size: list.length,
      state: clusterState(list),
      services: [...new Set(list.flatMap(({ service }) => (service === '' ? [] : [service])))].sort(),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** Instances that were replaced go stale beside their successors, so one stale node says nothing. */
function clusterState(nodes: readonly NodeFigures[]): ClusterFigures['state'] {
  if (nodes.every(({ state }) => state === 'stale')) return 'stale'
  return nodes.some(({ state }) => state === 'failing') ? 'degraded' : 'up'
}
