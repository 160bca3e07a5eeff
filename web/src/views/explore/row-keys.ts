/**
 * Moves through the table by keyboard. The focus is the position, because each row contains a link that Enter opens.
 */
import { rowHeight } from './trace-table.tsx'

/** Row 1 is the header. */
const firstRowIndex = 2

/** Starts at the focused row, else at the first one in view. Below the last row is the More button. */
export function moveRowFocus(step: 1 | -1): void {
  const scroller = document.querySelector('.trace-rows')
  if (!scroller) return
  const row = document.activeElement?.closest('.trace-rows [role=row]')
  const index = row
    ? Number(row.getAttribute('aria-rowindex')) + step
    : Math.ceil(scroller.scrollTop / rowHeight) + firstRowIndex
  // The table draws a few rows beyond its view, so the neighbour of a row in view exists and can be focused.
  const next = scroller.querySelector<HTMLElement>(`[aria-rowindex="${index}"] a`)
  if (next) next.focus()
  else if (step > 0) scroller.querySelector<HTMLElement>('.table-foot button')?.focus()
}
