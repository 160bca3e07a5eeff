/** The whole: its components, how many of what it has, and whether it is well. */
import { clustersOf } from './clusters.ts'
import { readDependencies } from './dependencies.ts'
import { readNodes, type CatalogTime } from './nodes.ts'
import { readServices } from './services.ts'
import type { FigureContext } from '../figure-source.ts'
import { nodeState, type NodeState } from './node-state.ts'

export interface Component {
  readonly name: string
  readonly type: 'service' | 'database' | 'messaging' | 'external'
  readonly state: NodeState
}

export interface SystemFigures {
  readonly architecture: {
    readonly services: number
    readonly nodes: number
    readonly clusters: number
    readonly edges: number
  }
  /** Services by name, then what they call. */
  readonly components: readonly Component[]
  readonly state: 'up' | 'degraded' | 'empty'
}

export async function readSystem(
  context: FigureContext,
  time: CatalogTime,
  signal?: AbortSignal,
): Promise<SystemFigures> {
  const [services, edges, nodes] = await Promise.all([
    readServices(context, time.range, signal),
    readDependencies(context, time.range, signal),
    readNodes(context, time, signal),
  ])
  const components: Component[] = [
    ...services.map(({ name, lastSeenNs, newest }) => ({
      name,
      type: 'service' as const,
      state: nodeState({ lastSeenNs, ...newest }, time.nowNs),
    })),
    ...nodes.flatMap(({ id, type, state }) =>
      type === 'database' || type === 'messaging' || type === 'external' ? [{ name: id, type, state }] : [],
    ),
  ]
  const clusters = clustersOf(nodes).filter(({ type }) => type !== 'none').length
  return {
    architecture: { services: services.length, nodes: nodes.length, clusters, edges: edges.length },
    components,
    state: systemState(components),
  }
}

function systemState(components: readonly Component[]): SystemFigures['state'] {
  if (components.length === 0) return 'empty'
  return components.some(({ state }) => state === 'failing') ? 'degraded' : 'up'
}
