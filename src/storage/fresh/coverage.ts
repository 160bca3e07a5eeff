/**
 * What can be concluded from the time since which an index has everything (docs/adr/0015-fresh-traces-from-the-log.md).
 */

/** How much later than ours the clock of a sender may be. */
export const clockSkewMaxMs = 60_000

/** A span without a parent. */
export interface Root {
  readonly startNs: bigint
  /** When its record was handed over. */
  readonly atMs: number
}

/**
 * Whether what began at this time must have been received after `coveredSinceMs`: nothing is received before it began.
 */
export function isCovered(startNs: bigint | undefined, coveredSinceMs: number): boolean {
  if (coveredSinceMs === -Infinity) return true
  return startNs !== undefined && msOf(startNs) > coveredSinceMs + clockSkewMaxMs
}

/**
 * Whether all spans of a trace with these roots must have come after `coveredSinceMs`: none is received before the root
 * has begun. Two roots are two traces with one id. The clock of a root from the future proves nothing.
 */
export function isWhole(roots: readonly Root[], coveredSinceMs: number): boolean {
  if (coveredSinceMs === -Infinity) return true
  if (roots.length !== 1) return false
  const { startNs, atMs } = roots[0]!
  return isCovered(startNs, coveredSinceMs) && msOf(startNs) <= atMs + clockSkewMaxMs
}

function msOf(ns: bigint): number {
  return Number(ns / 1_000_000n)
}
