/**
 * What tells a span from every other: trace id, span id, kind, start, duration and name. Two spans that agree in all of
 * them are one span that was sent twice. The duration is part of it although the trace view ignores it: a sender that
 * exports a span while it runs and again when it ended says something new the second time, which must not be lost.
 */
import { idHash } from '../../../model/byte-hash.ts'

/** Spans of a block, column by column. Words are in the order of the bytes, low before high. */
export interface SpanIdentities {
  readonly rows: number
  /** 4, 2, 2 and 2 words a row; times are nanoseconds since 1970. */
  readonly traceIds: Uint32Array
  readonly spanIds: Uint32Array
  readonly starts: Uint32Array
  readonly durations: Uint32Array
  readonly kinds: Uint8Array
  readonly nameAt: (row: number) => string
}

/** Milliseconds since 1970. */
export function startMsAt({ starts }: SpanIdentities, row: number): number {
  return ((starts[row * 2 + 1]! | 0) * 0x100000000 + starts[row * 2]!) / 1e6
}

/** As the engine prints them: lower-case hex digits of the ids, numbers, and the name. */
export function identityAt(spans: SpanIdentities, row: number): string {
  const { kinds, starts, durations } = spans
  const [start, duration] = [int64At(starts, row), int64At(durations, row)].map(String) as [string, string]
  return printIdentity([traceIdAt(spans, row), spanIdAt(spans, row), kinds[row]!, start, duration, spans.nameAt(row)])
}

export type Identity = readonly [
  traceId: string,
  spanId: string,
  kind: number,
  start: string,
  duration: string,
  name: string,
]

export function printIdentity(identity: Identity): string {
  return identity.join(' ')
}

export function traceIdAt({ traceIds }: SpanIdentities, row: number): string {
  return hexOf(traceIds, row * 4, 4)
}

export function spanIdAt({ spanIds }: SpanIdentities, row: number): string {
  return hexOf(spanIds, row * 2, 2)
}

export function startAt({ starts }: SpanIdentities, row: number): bigint {
  return int64At(starts, row)
}

function hexOf(words: Uint32Array, from: number, count: number): string {
  return Buffer.from(words.buffer, words.byteOffset + from * 4, count * 4).toString('hex')
}

function int64At(words: Uint32Array, row: number): bigint {
  return (BigInt(words[row * 2 + 1]! | 0) << 32n) | BigInt(words[row * 2]!)
}

/** Secret of this process. */
const key = crypto.getRandomValues(new Int32Array(1))[0]!

/**
 * Two hashes of each span in [from, to), without its name. Nobody outside can choose spans whose `slots` meet (byte-hash.ts).
 * Those whose `prints` meet as well are taken for repeats until the store is asked, which only costs the question.
 */
export function hashSpans(
  { traceIds, spanIds, starts, durations, kinds }: SpanIdentities,
  from: number,
  to: number,
  out: { readonly slots: Int32Array; readonly prints: Int32Array },
): void {
  for (let row = from; row < to; row++) {
    const [a, b, c, d] = [traceIds[row * 4]!, traceIds[row * 4 + 1]!, traceIds[row * 4 + 2]!, traceIds[row * 4 + 3]!]
    const [e, f, g, h] = [spanIds[row * 2]!, spanIds[row * 2 + 1]!, starts[row * 2]!, starts[row * 2 + 1]!]
    const trace = idHash(a, b, c, d)
    const own = idHash(e, f, g, h ^ kinds[row]!)
    out.slots[row] = trace ^ ((own << 11) | (own >>> 21))
    let print = mixed(key ^ a, b)
    print = mixed(print ^ c, d)
    print = mixed(print ^ e, f)
    print = mixed(print ^ g, durations[row * 2]!)
    print = mixed(print ^ h, kinds[row]!)
    // 0 marks an empty place.
    out.prints[row] = print === 0 ? 1 : print
  }
}

/** Both words, in a hash that changes in half of its bits when either changes in one (as in MurmurHash3's finalizer). */
function mixed(a: number, b: number): number {
  let hash = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ b
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
