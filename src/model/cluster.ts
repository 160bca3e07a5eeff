/** Clusters: nodes that belong together, derived from the nodes. */
import { isPeer, type ClusterType, type NodeFigures } from './node.ts'

export interface ClusterFigures {
  /** '' with type `none`: nodes that do not say which cluster they are in. */
  readonly name: string
  readonly type: ClusterType
  /** Nodes in it. */
  readonly size: number
  readonly state: 'up' | 'degraded' | 'stale'
  /** In order of name. */
  readonly services: readonly string[]
}

/** In order of name. Databases and other peers do not say where they are, so they belong to none. */
export function clustersOf(nodes: readonly NodeFigures[]): ClusterFigures[] {
  const emitters = nodes.filter(({ type }) => !isPeer(type))
  const members = Map.groupBy(emitters, ({ clusterType, cluster }) => `${clusterType}\0${cluster}`)
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

/** Replaced instances go stale while their successors run, so one stale node proves nothing. */
function clusterState(nodes: readonly NodeFigures[]): ClusterFigures['state'] {
  if (nodes.every(({ state }) => state === 'stale')) return 'stale'
  return nodes.some(({ state }) => state === 'failing') ? 'degraded' : 'up'
}
