/** The severity number of log records that give only a text, as bridges from other loggers send them. The text stays. */
import type { EventBatchBuilder } from '../../model/event-batch.ts'
import { numberOfSeverity } from '../record/severity.ts'
import { utf8Text } from '../utf8.ts'

export class LogSeverity {
  /** By dictionary number of the text; a hole was not looked up yet. */
  #numbers: (number | undefined)[] = []

  /** Call this after the builder's own reset. */
  reset(): void {
    this.#numbers = []
  }

  /** Completes the row that is about to end. */
  settle(builder: EventBatchBuilder, row: number): void {
    if (builder.severityNumbers[row] !== 0) return
    const text = builder.severityTexts[row]!
    builder.severityNumbers[row] = this.#numbers[text] ??= this.#lookUp(builder, text)
  }

  #lookUp({ dictionary, arena }: EventBatchBuilder, text: number): number {
    const start = dictionary.starts[text]!
    return numberOfSeverity(utf8Text(arena.bytes, start, start + dictionary.lengths[text]!))
  }
}
