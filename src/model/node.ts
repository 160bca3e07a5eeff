/**
 * What a node is: something that emits spans or events, as its resource names it, or something that is called and emits
 * nothing itself (a database, a queue, an address outside). One resource can name several nodes:
 *
 * | type | id | address |
 * |---|---|---|
 * | service_instance | service.instance.id, else service@pod, else service@host, else the service | pod's IP, else host's name |
 * | host | host.name, else host.id | first host.ip |
 * | pod | k8s.pod.name | k8s.pod.ip |
 *
 * Stores derive their nodes from `nodeKeys` and `clusterKeys`; a node is in the cluster named by the first of the
 * cluster keys that its resource has.
 */
import type { Attribute } from './attributes.ts'
import { plainText } from './resource.ts'

export type NodeType = 'service_instance' | 'host' | 'pod' | PeerType
/** Known only from the calls to it. */
export type PeerType = 'database' | 'messaging' | 'external'
export type ClusterType = 'k8s_cluster' | 'deployment_environment' | 'service_namespace' | 'none'

/** Resource keys; when there are several, the first that has a text counts. */
export const nodeKeys = {
  instance: ['service.instance.id'],
  pod: ['k8s.pod.name'],
  podAddress: ['k8s.pod.ip'],
  host: ['host.name', 'host.id'],
  hostName: ['host.name'],
  /** An array, whose first element counts. */
  hostAddresses: ['host.ip'],
  version: ['service.version'],
} as const satisfies Record<string, readonly string[]>

export const clusterKeys: readonly { readonly type: Exclude<ClusterType, 'none'>; readonly keys: readonly string[] }[] =
  [
    { type: 'k8s_cluster', keys: ['k8s.cluster.name'] },
    { type: 'deployment_environment', keys: ['deployment.environment.name', 'deployment.environment'] },
    { type: 'service_namespace', keys: ['service.namespace'] },
  ]

export interface NodeFigures {
  /** Unique within its type; of service instances within type and service. */
  readonly id: string
  readonly type: NodeType
  /** '' when several services share the node. */
  readonly service: string
  readonly address: string
  readonly version: string
  readonly cluster: string
  readonly clusterType: ClusterType
  readonly firstSeenNs: bigint
  readonly lastSeenNs: bigint
  readonly state: NodeState
  /** For a database, queue or external node: the number of calls to it. */
  readonly spans: number
  readonly events: number
  readonly errors: number
}

export type NodeState = 'up' | 'stale' | 'failing'

/** A node that was not seen for this long is stale. */
export const staleAfterNs = 300_000_000_000n
/** A node is failing from this share of calls in error, in its newest five-minute bucket. */
export const failingErrorRatio = 0.2

export interface Newest {
  readonly lastSeenNs: bigint
  readonly calls: number
  readonly errors: number
}

/** The state of a node or component, from when it was last seen and the errors of its newest five minutes. */
export function nodeState({ lastSeenNs, calls, errors }: Newest, nowNs: bigint): NodeState {
  if (nowNs - lastSeenNs >= staleAfterNs) return 'stale'
  return calls > 0 && errors / calls >= failingErrorRatio ? 'failing' : 'up'
}

export function isPeer(type: NodeType): type is PeerType {
  return type === 'database' || type === 'messaging' || type === 'external'
}

/** A container is not a node, but its name says where an event came from when there is no better name. */
const labelKeys = [...nodeKeys.instance, ...nodeKeys.pod, ...nodeKeys.host, 'container.id']

/** The most exact name in a resource for the place where it runs; '' when it has none. */
export function nodeLabel(resource: readonly Attribute[]): string {
  for (const key of labelKeys) {
    const found = resource.find((attribute) => attribute.key === key)
    if (found !== undefined) return plainText(found.value)
  }
  return ''
}
