/**
 * Span batches -> rows of table `traces`: one row for each trace that has spans in the block. A trace that arrives over
 * several blocks has several rows; readers add them up. Traces are found by their id's words in an open-addressing
 * table, and times are kept in words: this runs for every span.
 */
import { Turn } from '../../../base/turn.ts'
import { idHash } from '../../../model/byte-hash.ts'
import { callHalf, isCallerOf } from '../../../model/trace/call-half.ts'
import { intOf } from '../../../model/words.ts'
import { FixedColumn, LowCardinalityColumn, StringColumn, type Column } from '../native/column.ts'
import type { TraceSpans } from './trace-spans.ts'
import { printSummary } from './trace-summary.ts'

interface Root {
  readonly service: string
  readonly name: string
  readonly status: number
  readonly half: string
  readonly startLow: number
  readonly startHigh: number
}

/** Figures of one trace within the block. */
interface Part {
  readonly words: readonly [number, number, number, number]
  startLow: number
  startHigh: number
  endLow: number
  endHigh: number
  spans: number
  errors: number
  columns: number
  root: Root | undefined
  readonly services: ServiceSpans[]
  /** The services by name, once there are too many to search one by one. */
  servicesByName: Map<string, ServiceSpans> | undefined
}

type ServiceSpans = [name: string, spans: number, errors: number]

/** Up to this many services of a trace are searched one by one: nearly all traces have fewer. */
const servicesListedMax = 16

const errorStatus = 2

export class TraceBlock {
  readonly #traceId = new FixedColumn('FixedString(16)', 16)
  readonly #start = new FixedColumn('DateTime64(9)', 8)
  readonly #end = new FixedColumn('DateTime64(9)', 8)
  readonly #spans = new FixedColumn('UInt32', 4)
  readonly #errors = new FixedColumn('UInt32', 4)
  readonly #rootService = new LowCardinalityColumn()
  readonly #rootName = new LowCardinalityColumn()
  readonly #columns = new FixedColumn('UInt32', 4)
  readonly #summary = new StringColumn()
  readonly #blockTag = new FixedColumn('UInt32', 4)
  #parts: Part[] = []
  #slots = new Int32Array(4096).fill(-1)

  readonly columns: readonly (readonly [string, Column])[] = [
    ['trace_id', this.#traceId],
    ['start_time', this.#start],
    ['end_time', this.#end],
    ['span_count', this.#spans],
    ['error_count', this.#errors],
    ['root_service', this.#rootService],
    ['root_name', this.#rootName],
    ['columns', this.#columns],
    ['summary', this.#summary],
    ['block_tag', this.#blockTag],
  ]

  /** Rows in the columns since `finish`. */
  get rows(): number {
    return this.#start.rows
  }

  reset(): void {
    this.#parts = []
    this.#slots.fill(-1)
    for (const [, column] of this.columns) column.reset()
  }

  add(spans: TraceSpans): void {
    const { traceIds, parentSpanIds: parents, starts, durations, statuses } = spans
    for (let row = 0; row < spans.rows; row++) {
      const part = this.#partOf(traceIds, row * 4)
      addTimes(part, starts, durations, row * 2)
      const failed = statuses[row] === errorStatus ? 1 : 0
      part.spans++
      part.errors += failed
      part.columns |= spans.presentAt(row)
      addService(part, spans.serviceAt(row), failed)
      if (parents[row * 2] === 0 && parents[row * 2 + 1] === 0) this.#setRoot(part, spans, row)
    }
  }

  /** Whether a span of the trace was added; `traceId` is 32 hex digits. */
  holds(traceId: string): boolean {
    if (this.#parts.length === 0) return false
    const bytes = Buffer.from(traceId, 'hex')
    const [a, b, c, d] = [0, 4, 8, 12].map((at) => bytes.readUInt32LE(at)) as [number, number, number, number]
    return this.#slots[this.#slotOf(a, b, c, d)]! >= 0
  }

  #partOf(ids: Uint32Array, at: number): Part {
    const [a, b, c, d] = [ids[at]!, ids[at + 1]!, ids[at + 2]!, ids[at + 3]!]
    const slot = this.#slotOf(a, b, c, d)
    const found = this.#slots[slot]!
    return found < 0 ? this.#newPart(slot, [a, b, c, d]) : this.#parts[found]!
  }

  /** Where the trace is, or would be. */
  #slotOf(a: number, b: number, c: number, d: number): number {
    const mask = this.#slots.length - 1
    let slot = idHash(a, b, c, d) & mask
    for (;;) {
      const found = this.#slots[slot]!
      if (found < 0) return slot
      const { words } = this.#parts[found]!
      if (words[0] === a && words[1] === b && words[2] === c && words[3] === d) return slot
      slot = (slot + 1) & mask
    }
  }

  #newPart(slot: number, words: Part['words']): Part {
    const part: Part = {
      words,
      startLow: 0xffffffff,
      startHigh: 0x7fffffff,
      endLow: 0,
      endHigh: 0,
      spans: 0,
      errors: 0,
      columns: 0,
      root: undefined,
      services: [],
      servicesByName: undefined,
    }
    this.#slots[slot] = this.#parts.push(part) - 1
    if (this.#parts.length * 2 > this.#slots.length) this.#growSlots()
    return part
  }

  #growSlots(): void {
    this.#slots = new Int32Array(this.#slots.length * 4).fill(-1)
    this.#parts.forEach(({ words }, index) => (this.#slots[this.#slotOf(...words)] = index))
  }

  /** Of several roots the one that starts first counts; of a call that came as two halves, the client half. */
  #setRoot(part: Part, { spanIds, starts, kinds, statuses, nameAt, serviceAt }: TraceSpans, row: number): void {
    const startLow = starts[row * 2]!
    const startHigh = starts[row * 2 + 1]!
    const { root } = part
    const half = callHalf(kinds[row]!, spanIds[row * 2]!)
    if (root !== undefined && !isCallerOf(half, root.half)) {
      if (isCallerOf(root.half, half) || !isBefore(startLow, startHigh, root.startLow, root.startHigh)) return
    }
    part.root = { service: serviceAt(row), name: nameAt(row), status: statuses[row]!, half, startLow, startHigh }
  }

  /** Fills the columns with the traces that were added, except those in `without` (32 hex digits); in turns. */
  async finish(blockTag: number, without: ReadonlySet<string>): Promise<void> {
    for (const [, column] of this.columns) column.reset()
    const turn = new Turn()
    for (let i = 0; i < this.#parts.length; i++) {
      if ((i & 0x3ff) === 0 && turn.isOver) await turn.next()
      const part = this.#parts[i]!
      if (without.size > 0 && without.has(idOf(part))) continue
      for (const word of part.words) this.#traceId.addUint32(word)
      this.#start.addWords(part.startLow, part.startHigh)
      this.#end.addWords(part.endLow, part.endHigh)
      this.#spans.addUint32(part.spans)
      this.#errors.addUint32(part.errors)
      const { root, services } = part
      this.#rootService.add(root === undefined ? 0 : this.#rootService.keys.internText(root.service))
      this.#rootName.add(root === undefined ? 0 : this.#rootName.keys.internText(root.name))
      this.#columns.addUint32(part.columns)
      const rootItem = root === undefined ? null : ([root.service, root.name, root.status, root.half] as const)
      const startNs = intOf(part.startLow, part.startHigh)
      this.#summary.addText(printSummary(startNs, intOf(part.endLow, part.endHigh), rootItem, services))
      this.#blockTag.addUint32(blockTag)
    }
  }
}

function idOf({ words }: Part): string {
  return Buffer.from(Uint32Array.from(words).buffer).toString('hex')
}

/** Widens the part's time by the span's; a negative duration counts as none. */
function addTimes(part: Part, starts: Uint32Array, durations: Uint32Array, at: number): void {
  const low = starts[at]!
  const high = starts[at + 1]!
  if (isBefore(low, high, part.startLow, part.startHigh)) {
    part.startLow = low
    part.startHigh = high
  }
  const negative = durations[at + 1]! >= 0x80000000
  const sum = low + (negative ? 0 : durations[at]!)
  const endLow = sum >>> 0
  const endHigh = high + (negative ? 0 : durations[at + 1]!) + (sum > 0xffffffff ? 1 : 0)
  if (endHigh > part.endHigh || (endHigh === part.endHigh && endLow > part.endLow)) {
    part.endLow = endLow
    part.endHigh = endHigh
  }
}

function isBefore(low: number, high: number, otherLow: number, otherHigh: number): boolean {
  return high < otherHigh || (high === otherHigh && low < otherLow)
}

function addService(part: Part, service: string, failed: number): void {
  const byName = part.servicesByName
  const known = byName === undefined ? listed(part.services, service) : byName.get(service)
  if (known !== undefined) {
    known[1]++
    known[2] += failed
    return
  }
  const added: ServiceSpans = [service, 1, failed]
  part.services.push(added)
  if (part.services.length > servicesListedMax)
    part.servicesByName ??= new Map(part.services.map((item) => [item[0], item]))
  part.servicesByName?.set(service, added)
}

function listed(services: readonly ServiceSpans[], service: string): ServiceSpans | undefined {
  for (const item of services) if (item[0] === service) return item
  return undefined
}
