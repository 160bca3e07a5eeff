/**
 * Which spans of a block must not be stored, because the store or the block has them already. Nearly all spans are known to
 * be new from memory (seen-spans.ts); only the others are looked for in the store. docs/adr/0023-a-span-is-stored-once.md
 * says why this is exact across crashes.
 */
import { setImmediate } from 'node:timers/promises'
import type { Engine } from '../engine.ts'
import { marks, type SeenSpans } from './seen-spans.ts'
import { identityAt, traceIdAt, type SpanIdentities } from './span-identities.ts'
import { readStoredSpans, readStoredTraces } from './stored-spans.ts'

export interface RepeatQuestion {
  readonly engine: Pick<Engine, 'query'>
  readonly seen: SeenSpans
  readonly spans: SpanIdentities
  /** An attempt before may have stored some of the rows: none of them is taken for new. */
  readonly mayBeStored: boolean
  /** The tag of the block's rows in `traces`. */
  readonly blockTag: number
}

export interface Repeats {
  /** 1 for each row to store, 0 for each to leave out. */
  readonly kept: Uint8Array
  readonly leftOut: number
  /** Traces whose row of this block is stored already, as 32 hex digits. */
  readonly storedTraces: ReadonlySet<string>
}

/** Rows looked at in one turn of the event loop: some 2 ms. */
const rowsPerTurn = 16_384

const noTraces: ReadonlySet<string> = new Set()

/** `undefined` when every span is new. Remembers all spans as seen. */
export async function findRepeats(question: RepeatQuestion): Promise<Repeats | undefined> {
  const marked = await markSpans(question)
  if (!marked.hasCandidates) return undefined
  const { engine, spans, mayBeStored, blockTag } = question
  const kept = new Uint8Array(spans.rows).fill(1)
  let leftOut = 0
  const leave = (row: number): void => {
    if (kept[row] === 1) leftOut++
    kept[row] = 0
  }
  await leaveCopies(spans, marked, leave)
  const traces = await readStoredTraces(engine, await tracesToAsk(spans, marked.marks, mayBeStored), blockTag)
  const rows: number[] = []
  for (let row = 0; row < spans.rows; row++) {
    const mark = marked.marks[row]!
    if (kept[row] === 0 || mark === marks.new) continue
    if (mark === marks.seen || traces.has(traceIdAt(spans, row))) rows.push(row)
  }
  await readStoredSpans(engine, spans, rows, leave)
  const own = [...traces].flatMap(([traceId, isOfBlock]) => (isOfBlock ? [traceId] : []))
  return { kept, leftOut, storedTraces: mayBeStored ? new Set(own) : noTraces }
}

interface Marked {
  readonly marks: Uint8Array
  readonly slots: Int32Array
  readonly hasCandidates: boolean
}

async function markSpans({ seen, spans, mayBeStored }: RepeatQuestion): Promise<Marked> {
  const { rows } = spans
  const out = { marks: new Uint8Array(rows), slots: new Int32Array(rows), prints: new Int32Array(rows) }
  for (let from = 0; from < rows; from += rowsPerTurn) {
    if (from > 0) await setImmediate()
    seen.mark(spans, from, Math.min(rows, from + rowsPerTurn), out)
  }
  if (mayBeStored) out.marks.forEach((mark, row) => mark === marks.new && (out.marks[row] = marks.uncovered))
  return { ...out, hasCandidates: out.marks.includes(marks.seen) || out.marks.includes(marks.uncovered) }
}

/** Of spans that are in the block more than once the first stays: the second of them is marked as seen. */
async function leaveCopies(spans: SpanIdentities, marked: Marked, leave: (row: number) => void): Promise<void> {
  const candidates = new Set<number>()
  marked.marks.forEach((mark, row) => mark === marks.seen && candidates.add(marked.slots[row]!))
  if (candidates.size === 0) return
  const firsts = new Map<number, number>()
  const identities = new Set<string>()
  for (let row = 0; row < spans.rows; row++) {
    if (row > 0 && row % rowsPerTurn === 0) await setImmediate()
    const slot = marked.slots[row]!
    if (!candidates.has(slot)) continue
    const first = firsts.get(slot)
    if (first === undefined) {
      firsts.set(slot, row)
      continue
    }
    identities.add(identityAt(spans, first))
    const identity = identityAt(spans, row)
    if (identities.has(identity)) leave(row)
    else identities.add(identity)
  }
}

/** A trace without rows in `traces` has none in `spans`, as those are stored first. */
async function tracesToAsk(spans: SpanIdentities, marked: Uint8Array, mayBeStored: boolean): Promise<string[]> {
  const traceIds = new Set<string>()
  for (let row = 0; row < spans.rows; row++) {
    if (row > 0 && row % rowsPerTurn === 0) await setImmediate()
    if (marked[row] === marks.uncovered || mayBeStored) traceIds.add(traceIdAt(spans, row))
  }
  return [...traceIds]
}
