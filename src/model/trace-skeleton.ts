/**
 * A trace without its attributes, as columns: what a tree and a waterfall need, at some 50 bytes a span instead of a
 * thousand. Row r of every column is span r, in order of start, then longest first. A span that was sent twice is there
 * once.
 */
import { repeatedSpans } from './trace/repeated-spans.ts'
import { indexIds } from './trace/shared-ids.ts'

export interface TraceSkeleton {
  /** 32 hex digits. */
  readonly traceId: string
  readonly rows: number
  /** 8 bytes a row. */
  readonly spanIds: Uint8Array
  /** 8 bytes a row, all zero for a root. */
  readonly parentSpanIds: Uint8Array
  /** Nanoseconds since the epoch. */
  readonly startTimes: BigInt64Array
  /** Nanoseconds; negative when the sender's clock went back. */
  readonly durations: BigInt64Array
  /** OTLP span kind. */
  readonly kinds: Uint8Array
  /** OTLP status code. */
  readonly statuses: Uint8Array
  /** Indexes into `texts`. */
  readonly services: Uint32Array
  readonly names: Uint32Array
  readonly texts: readonly string[]
}

export interface SkeletonSpan {
  /** 16 hex digits. */
  readonly spanId: string
  /** 16 hex digits, '' for a root. */
  readonly parentSpanId: string
  readonly startTimeUnixNano: bigint
  readonly durationNano: bigint
  readonly kind: number
  readonly statusCode: number
  readonly service: string
  readonly name: string
}

const idBytes = 8
const firstCapacity = 256

/** Collects spans row by row, as their number is known only at the end. */
export class SkeletonBuilder {
  #rows = 0
  #spanIds = Buffer.alloc(firstCapacity * idBytes)
  #parentSpanIds = Buffer.alloc(firstCapacity * idBytes)
  #startTimes = new BigInt64Array(firstCapacity)
  #durations = new BigInt64Array(firstCapacity)
  #kinds = new Uint8Array(firstCapacity)
  #statuses = new Uint8Array(firstCapacity)
  #services = new Uint32Array(firstCapacity)
  #names = new Uint32Array(firstCapacity)
  readonly #texts: string[] = []
  readonly #places = new Map<string, number>()

  get rows(): number {
    return this.#rows
  }

  /** In the order of the skeleton's rows. */
  add(span: SkeletonSpan): void {
    if (this.#rows === this.#kinds.length) this.#grow()
    const row = this.#rows++
    this.#spanIds.write(span.spanId, row * idBytes, 'hex')
    this.#parentSpanIds.write(span.parentSpanId, row * idBytes, 'hex')
    this.#startTimes[row] = span.startTimeUnixNano
    this.#durations[row] = span.durationNano
    this.#kinds[row] = span.kind
    this.#statuses[row] = span.statusCode
    this.#services[row] = this.#placeOf(span.service)
    this.#names[row] = this.#placeOf(span.name)
  }

  /** Leaves out copies. The builder is not used after that. */
  finish(traceId: string): TraceSkeleton {
    this.#dropRepeats()
    const rows = this.#rows
    return {
      traceId,
      rows,
      spanIds: this.#spanIds.subarray(0, rows * idBytes),
      parentSpanIds: this.#parentSpanIds.subarray(0, rows * idBytes),
      startTimes: this.#startTimes.subarray(0, rows),
      durations: this.#durations.subarray(0, rows),
      kinds: this.#kinds.subarray(0, rows),
      statuses: this.#statuses.subarray(0, rows),
      services: this.#services.subarray(0, rows),
      names: this.#names.subarray(0, rows),
      texts: this.#texts,
    }
  }

  #dropRepeats(): void {
    const count = this.#rows
    const spans = {
      count,
      ids: new BigUint64Array(this.#spanIds.buffer, this.#spanIds.byteOffset, count),
      noId: 0n,
      kinds: this.#kinds,
      starts: this.#startTimes,
      lengths: this.#durations,
      names: this.#names,
    }
    const shownAs = repeatedSpans(spans, spans.ids.keys(), indexIds(spans, spans.ids.keys()))
    let kept = 0
    for (let row = 0; row < count; row++) {
      if (shownAs[row] !== row) continue
      if (kept < row) this.#move(row, kept)
      kept++
    }
    this.#rows = kept
  }

  #move(from: number, to: number): void {
    this.#spanIds.copyWithin(to * idBytes, from * idBytes, (from + 1) * idBytes)
    this.#parentSpanIds.copyWithin(to * idBytes, from * idBytes, (from + 1) * idBytes)
    for (const column of [this.#startTimes, this.#durations, this.#kinds, this.#statuses, this.#services, this.#names])
      column.copyWithin(to, from, from + 1)
  }

  #placeOf(text: string): number {
    let place = this.#places.get(text)
    if (place === undefined) {
      place = this.#texts.push(text) - 1
      this.#places.set(text, place)
    }
    return place
  }

  #grow(): void {
    this.#spanIds = Buffer.concat([this.#spanIds, Buffer.alloc(this.#spanIds.length)])
    this.#parentSpanIds = Buffer.concat([this.#parentSpanIds, Buffer.alloc(this.#parentSpanIds.length)])
    this.#startTimes = doubled(this.#startTimes, BigInt64Array)
    this.#durations = doubled(this.#durations, BigInt64Array)
    this.#kinds = doubled(this.#kinds, Uint8Array)
    this.#statuses = doubled(this.#statuses, Uint8Array)
    this.#services = doubled(this.#services, Uint32Array)
    this.#names = doubled(this.#names, Uint32Array)
  }
}

function doubled<Column extends BigInt64Array | Uint8Array | Uint32Array>(
  column: Column,
  make: new (length: number) => Column,
): Column {
  const longer = new make(column.length * 2)
  longer.set(column as never)
  return longer
}
