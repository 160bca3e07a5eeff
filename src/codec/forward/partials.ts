/**
 * Docker cuts lines of more than 16 KiB. Its fluentd driver marks each piece, and so does journald under other names:
 *   partial_message "true" · partial_id of the line · partial_ordinal from 1 · partial_last "true" | "false"
 * Pieces of one body become one event: the event of the first piece, with the text of all.
 */
import { bodyTypes, type EventBatchBuilder } from '../../model/event-batch.ts'
import type { Attribute } from '../../model/attributes.ts'

export interface PartialMark {
  readonly id: string
  readonly ordinal: number
  readonly isLast: boolean
}

const names = ['partial_message', 'partial_id', 'partial_ordinal', 'partial_last']
const journald = names.map((name) => `CONTAINER_${name.toUpperCase()}`)
/** Every name of a mark; only bytes that contain one can have pieces. */
export const partialNames: readonly string[] = [...names, ...journald]
const signs = [names[0]!, journald[0]!].map((name) => Buffer.from(name))

export function mayHoldPartials(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return signs.some((sign) => buffer.includes(sign))
}

/** `undefined` for a record that is whole, or a piece that does not name its line. */
export function partialMark(entries: readonly Attribute[]): PartialMark | undefined {
  const text = (index: number): string => {
    const value = entries.find(({ key }) => key === names[index] || key === journald[index])?.value
    return value?.type === 'string' || value?.type === 'int' || value?.type === 'bool' ? String(value.value) : ''
  }
  const id = text(1)
  if (text(0) !== 'true' || id === '') return undefined
  return { id, ordinal: Number(text(2)) || 0, isLast: text(3) === 'true' }
}

interface Line {
  readonly row: number
  readonly pieces: { readonly ordinal: number; readonly text: string }[]
}

/** The incomplete lines of one body. */
export class Partials {
  readonly #lines = new Map<string, Line>()

  reset(): void {
    this.#lines.clear()
  }

  /** True when the piece continues a line that already has a row: then it needs no row of its own. */
  add(mark: PartialMark, row: number, text: string): boolean {
    const line = this.#lines.get(mark.id)
    const piece = { ordinal: mark.ordinal, text }
    if (line === undefined) this.#lines.set(mark.id, { row, pieces: [piece] })
    else line.pieces.push(piece)
    return line !== undefined
  }

  /** Call this when all rows are there: writes the joined texts into the rows of lines. Returns those rows. */
  complete(builder: EventBatchBuilder): number[] {
    const joined = [...this.#lines.values()].filter(({ pieces }) => pieces.length > 1)
    for (const { row, pieces } of joined) {
      const texts = pieces.sort((a, b) => a.ordinal - b.ordinal).map(({ text }) => text)
      builder.setBody(row, bodyTypes.string, texts.join(''))
    }
    return joined.map(({ row }) => row)
  }
}
