/** Aligned columns for stdout. Numbers are right-aligned, and the last text column is cut to the terminal's width. */
import stringWidth from 'string-width'
import { clean, fit, padEnd, padStart, terminalWidth } from './terminal-text.ts'

export interface Column<Row> {
  readonly title: string
  readonly right?: boolean
  /** Largest width; longer values are cut. Default: no limit. */
  readonly width?: number
  readonly text: (row: Row) => string
}

/** A longer value shifts only the rest of its own line, so that one huge name does not pad all other lines. */
const alignedWidthMax = 200

/** A title line, then one line per row. Control characters are shown as their code. Values are cut only on terminals. */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const isTerminal = process.stdout.isTTY
  const cells = [
    columns.map((column) => column.title),
    ...rows.map((row) =>
      columns.map(({ text, width }) =>
        isTerminal && width !== undefined ? fit(clean(text(row)), width) : clean(text(row)),
      ),
    ),
  ]
  const widths = columns.map((_, index) =>
    cells.reduce((most, line) => Math.max(most, Math.min(alignedWidthMax, stringWidth(line[index] ?? ''))), 0),
  )
  return cells.map((line) => {
    const text = line
      .map((cell, index) =>
        columns[index]?.right ? padStart(cell, widths[index] ?? 0) : padEnd(cell, widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd()
    return isTerminal ? fit(text, terminalWidth()) : text
  })
}
