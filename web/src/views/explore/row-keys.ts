/** Rows of the table by keyboard: the focus is the place in the list, as each row holds a link that Enter opens. */
import { rowHeight } from './trace-table.tsx'

/** Row 1 is the head. */
const firstRowIndex = 2

/** From the row in focus, else to the first one in view; below the last one is More. */
export function moveRowFocus(step: 1 | -1): void {
  const scroller = document.querySelector('.trace-rows')
  if (!scroller) return
  const row = document.activeElement?.closest('.trace-rows [role=row]')
  const index = row
    ? Number(row.getAttribute('aria-rowindex')) + step
    : Math.ceil(scroller.scrollTop / rowHeight) + firstRowIndex
  // The table draws a few rows beyond its view, so the neighbour of a row in view is there to take the focus.
  const next = scroller.querySelector<HTMLElement>(`[aria-rowindex="${index}"] a`)
  if (next) next.focus()
  else if (step > 0) scroller.querySelector<HTMLElement>('.table-foot button')?.focus()
}
