/**
 * What `clew import` must know about an encoding of OTLP: where the records are. With that it cuts a file of any size
 * into requests of bounded size without decoding it. Bytes are passed on unchanged, so nothing is lost or rounded.
 *
 * In both encodings a request is `resource…[ { scope…[ { records…[] } ] } ]`. An *element* is one member of the outer
 * array.
 */

export type Signal = 'traces' | 'logs' | 'metrics'

/** Path of the OTLP endpoint. */
export const signalPaths: Readonly<Record<Signal, string>> = {
  traces: '/v1/traces',
  logs: '/v1/logs',
  metrics: '/v1/metrics',
}

/** One ResourceSpans, ResourceLogs or ResourceMetrics message. */
export interface Element {
  readonly signal: Signal
  readonly grammar: Grammar
  readonly bytes: Uint8Array
  /** Number of spans, log records or metrics. */
  readonly records: number
  /** `file:offset`, for messages. */
  readonly place: string
}

/** An element or scope, split into the messages of its inner array. */
export interface Unpacked {
  readonly parts: readonly Uint8Array[]
  /** The same message with only these parts. */
  pack(parts: readonly Uint8Array[]): Uint8Array
  /** Bytes of the message without its parts, and the most that each part needs in addition to its own bytes. */
  readonly shellBytes: number
  readonly partBytesMore: number
}

/** What an OTLP receiver answered (ExportTraceServiceResponse.partial_success, or google.rpc.Status on failure). */
export interface OtlpAnswer {
  readonly rejected: number
  readonly message: string
}

export interface Grammar {
  readonly contentType: string
  /** Level 0: the scopes of an element; level 1: the records of a scope. `undefined` when there is no such array. */
  unpack(bytes: Uint8Array, signal: Signal, level: 0 | 1): Unpacked | undefined
  /** Body of a request. */
  request(signal: Signal, elements: readonly Uint8Array[]): Uint8Array
  readSuccess(body: Uint8Array): OtlpAnswer
  /** The message of a failure, or an empty text. */
  readFailure(body: Uint8Array): string
}

/** Number of spans, log records or metrics in an element. */
export function countRecords(grammar: Grammar, bytes: Uint8Array, signal: Signal): number {
  let count = 0
  for (const scope of grammar.unpack(bytes, signal, 0)?.parts ?? []) {
    count += grammar.unpack(scope, signal, 1)?.parts.length ?? 0
  }
  return count
}

/**
 * Splits an element that is too large for a request: first between scopes, then between records. Each piece repeats the
 * resource and scope around it. A single record is never split.
 */
export function splitElement(element: Element, bytesMax: number): Element[] {
  if (element.bytes.length <= bytesMax) return [element]
  const { grammar, signal, place } = element
  return split(element, element.bytes, bytesMax, 0).map((bytes) => ({
    grammar,
    signal,
    place,
    bytes,
    records: countRecords(grammar, bytes, signal),
  }))
}

function split(
  { grammar, signal }: Pick<Element, 'grammar' | 'signal'>,
  bytes: Uint8Array,
  bytesMax: number,
  level: 0 | 1 | 2,
): Uint8Array[] {
  const unpacked = bytes.length <= bytesMax || level === 2 ? undefined : grammar.unpack(bytes, signal, level)
  if (unpacked === undefined || unpacked.parts.length === 0) return [bytes]
  const { shellBytes, partBytesMore } = unpacked
  const room = Math.max(1, bytesMax - shellBytes)
  const parts = unpacked.parts.flatMap((part) =>
    split({ grammar, signal }, part, room - partBytesMore, (level + 1) as 1 | 2),
  )
  return groupsWithin(parts, room, partBytesMore).map((group) => unpacked.pack(group))
}

/** Consecutive groups of at most `room` bytes; a larger part gets a group of its own. */
function groupsWithin(parts: readonly Uint8Array[], room: number, partBytesMore: number): Uint8Array[][] {
  const groups: Uint8Array[][] = []
  let used = Infinity
  for (const part of parts) {
    const bytes = part.length + partBytesMore
    if (used + bytes > room) {
      groups.push([])
      used = 0
    }
    groups.at(-1)?.push(part)
    used += bytes
  }
  return groups
}
