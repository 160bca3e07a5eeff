/**
 * Clock skew between machines, estimated from impossible times: a server span starts before the client span that caused
 * it, or ends after it. Times are never changed silently; this only computes the adjustment.
 *
 * For a pair of clocks, every call gives the bounds [client start - server start, client end - server end] of the shift
 * that the server's clock needs. The bounds of all calls are intersected; if the result contains 0, there is no skew.
 * If calls contradict each other (drift), the shift is the median of their middles.
 *
 * All programs on one host share a clock. Some SDKs round the start of a span to a millisecond, so rounded starts that
 * disagree by up to that much prove nothing.
 */
import { kinds, printValue } from './otlp-json.ts'
import type { SpanList } from './span-list.ts'
import { parseUnixNano } from './time.ts'

export interface Skew {
  /** Nanoseconds to add to each span's times. */
  readonly shift: Float64Array
  /** 1 where a span enters a machine whose clock disagrees with its caller's. */
  readonly isSkewed: Uint8Array
  readonly services: readonly { readonly service: string; readonly shift: number; readonly spans: number }[]
}

/** Two clocks, by number. */
interface Pair {
  readonly from: number
  readonly to: number
  low: number
  high: number
  readonly middles: number[]
  /** How far rounded starts may have moved the bounds. */
  tolerance: number
}

const roundingNanos = 1_000_000

/** `parent` holds the list index of each span's parent, -1 for none. */
export function estimateSkew(list: SpanList, parent: Int32Array): Skew {
  const clocks = clocksOf(list)
  const pairs = gatherPairs(list, parent, clocks)
  const clockShift = walkClocks([...pairs.values()], clocks[Math.max(0, parent.indexOf(-1))]!)
  const shift = new Float64Array(list.count)
  const isSkewed = new Uint8Array(list.count)
  const services = new Map<string, { service: string; shift: number; spans: number }>()
  for (let i = 0; i < list.count; i++) {
    const by = clockShift.get(clocks[i]!) ?? 0
    shift[i] = by
    const above = parent[i]!
    if (above >= 0 && by !== (clockShift.get(clocks[above]!) ?? 0)) isSkewed[i] = 1
    if (by === 0) continue
    const name = list.services[list.service[i]!]!
    const entry = services.get(name) ?? { service: name, shift: by, spans: 0 }
    entry.spans++
    services.set(name, entry)
  }
  return { shift, isSkewed, services: [...services.values()] }
}

/** The clock of each span: that of its host, else that of its resource. */
function clocksOf(list: SpanList): Uint32Array {
  const clockOfResource = new Map<number, number>()
  const clockOfHost = new Map<string, number>()
  return list.resource.map((resource, i) => {
    const known = clockOfResource.get(resource)
    if (known !== undefined) return known
    const attributes = list.sources[i]!.resource?.attributes
    const host = ['host.id', 'host.name'].map((name) => attributes?.find(({ key }) => key === name)).find(Boolean)
    const key = host ? `${host.key}=${printValue(host.value)}` : ''
    const clock = clockOfHost.get(key) ?? resource
    if (host) clockOfHost.set(key, clock)
    clockOfResource.set(resource, clock)
    return clock
  })
}

function hasRoundedStart(list: SpanList, i: number): boolean {
  return parseUnixNano(list.sources[i]!.span.startTimeUnixNano) % BigInt(roundingNanos) === 0n
}

function gatherPairs(list: SpanList, parent: Int32Array, clocks: Uint32Array): Map<number, Pair> {
  const pairs = new Map<number, Pair>()
  for (let i = 0; i < list.count; i++) {
    const above = parent[i]!
    if (above < 0 || clocks[i] === clocks[above]) continue
    if (list.kind[i] !== kinds.server || list.kind[above] !== kinds.client) continue
    if (list.unfinished[i] || list.unfinished[above]) continue
    const low = list.start[above]! - list.start[i]!
    // A server may outlive a caller that gave up, so the upper bound counts only if the server span fits in the call.
    const high = list.length[i]! <= list.length[above]! ? low + list.length[above]! - list.length[i]! : Infinity
    const [from, to] = [clocks[above]!, clocks[i]!]
    const key = from * 2 ** 32 + to
    const pair = pairs.get(key) ?? { from, to, low: -Infinity, high: Infinity, middles: [], tolerance: 0 }
    const rounded = (hasRoundedStart(list, i) ? 1 : 0) + (hasRoundedStart(list, above) ? 1 : 0)
    pair.tolerance = Math.max(pair.tolerance, rounded * roundingNanos)
    pair.low = Math.max(pair.low, low)
    pair.high = Math.min(pair.high, high)
    pair.middles.push(high === Infinity ? low : (low + high) / 2)
    pairs.set(key, pair)
  }
  return pairs
}

function relativeShift({ low, high, middles, tolerance }: Pair): number {
  if (low <= tolerance && high >= -tolerance) return 0
  if (low <= high) return high === Infinity ? low : (low + high) / 2
  return middles.sort((a, b) => a - b)[middles.length >> 1]!
}

/** Shifts relative to the clock of the root, found breadth first along the calls. */
function walkClocks(pairs: readonly Pair[], root: number): Map<number, number> {
  const shifts = new Map<number, number>()
  if (pairs.length === 0) return shifts
  const queue = [root, ...pairs.map(({ from }) => from)]
  for (let clock = queue.shift(); clock !== undefined; clock = queue.shift()) {
    if (!shifts.has(clock)) shifts.set(clock, 0)
    for (const pair of pairs) {
      if (pair.from !== clock || shifts.has(pair.to)) continue
      shifts.set(pair.to, shifts.get(clock)! + relativeShift(pair))
      queue.unshift(pair.to)
    }
  }
  return shifts
}
