/** The observed system as a whole: its components, its counts and its state. Derived from services, edges and nodes. */
import { clustersOf } from './cluster.ts'
import type { EdgeFigures, ServiceFigures } from './figures.ts'
import { isPeer, nodeState, type NodeFigures, type NodeState, type PeerType } from './node.ts'

export interface Component {
  readonly name: string
  readonly type: 'service' | PeerType
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

export interface SystemParts {
  readonly services: readonly ServiceFigures[]
  readonly edges: readonly EdgeFigures[]
  readonly nodes: readonly NodeFigures[]
  /** Nanoseconds since the epoch. */
  readonly nowNs: bigint
}

export function systemOf({ services, edges, nodes, nowNs }: SystemParts): SystemFigures {
  const traced = services.map(({ name, lastSeenNs, newest }): Component => ({
    name,
    type: 'service',
    state: nodeState({ lastSeenNs, ...newest }, nowNs),
  }))
  const ofServices = [...traced, ...servicesOfEvents(nodes, new Set(services.map(({ name }) => name)))]
  ofServices.sort((a, b) => (a.name < b.name ? -1 : 1))
  const peers = nodes.flatMap(({ id, type, state }) => (isPeer(type) ? [{ name: id, type, state }] : []))
  const components = [...ofServices, ...peers]
  const clusters = clustersOf(nodes).filter(({ type }) => type !== 'none').length
  return {
    architecture: { services: ofServices.length, nodes: nodes.length, clusters, edges: edges.length },
    components,
    state: systemState(components),
  }
}

/** Services that send events but no spans. They are up while one of their instances is not stale. */
function servicesOfEvents(nodes: readonly NodeFigures[], traced: ReadonlySet<string>): Component[] {
  const states = new Map<string, NodeState>()
  for (const { type, service, state } of nodes) {
    if (type !== 'service_instance' || traced.has(service)) continue
    if (states.get(service) !== 'up') states.set(service, state)
  }
  return [...states].map(([name, state]) => ({ name, type: 'service', state }))
}

function systemState(components: readonly Component[]): SystemFigures['state'] {
  if (components.length === 0) return 'empty'
  return components.some(({ state }) => state === 'failing') ? 'degraded' : 'up'
}
