/** Whether a node or component is well, from when it was last seen and how its newest bucket went. */

export type NodeState = 'up' | 'stale' | 'failing'

/** Not seen for this long: stale. */
export const staleAfterNs = 300_000_000_000n
/** Share of calls in error, in the newest five-minute bucket, from which a node is failing. */
export const failingErrorRatio = 0.2

export interface Newest {
  readonly lastSeenNs: bigint
  readonly calls: number
  readonly errors: number
}

export function nodeState({ lastSeenNs, calls, errors }: Newest, nowNs: bigint): NodeState {
  if (nowNs - lastSeenNs >= staleAfterNs) return 'stale'
  return calls > 0 && errors / calls >= failingErrorRatio ? 'failing' : 'up'
}
