/**
 * Says which half of a call a root is, as a short text that is stored with it. Zipkin gives both halves one id, and the
 * client (or producer) half names the trace, even when the server's clock is ahead (rule 7 in trace-tree.ts).
 *   'c1f' a client half, 's1f' a server half of the same id, '' any other span
 */
const kinds = { server: 2, client: 3, producer: 4, consumer: 5 } as const

export function isCaller(kind: number): boolean {
  return kind === kinds.client || kind === kinds.producer
}

export function isCallee(kind: number): boolean {
  return kind === kinds.server || kind === kinds.consumer
}

/** `idBits` are 32 bits of the span id: enough to tell the few roots of one trace apart. */
export function callHalf(kind: number, idBits: number): string {
  const side = isCaller(kind) ? 'c' : isCallee(kind) ? 's' : ''
  return side === '' ? '' : side + (idBits >>> 0).toString(36)
}

/** Whether `half` is the client half and `other` the server half of the same call. */
export function isCallerOf(half: string, other: string): boolean {
  return half.startsWith('c') && other.startsWith('s') && half.slice(1) === other.slice(1)
}
