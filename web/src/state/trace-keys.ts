/** Keyboard shortcuts of the trace page; the help prints this table. */
import { has, nodeFlags } from '../model/trace.ts'
import type { KeyTable } from './keys.ts'
import { go, place } from './location.ts'
import { copy } from './notice.ts'
import type { TracePage } from './trace-page.ts'
import { tracePath } from './trace-url.ts'

const zoomStep = 0.7
const panStep = 0.15

/** The absolute address of the current view. */
export function shareLink(): void {
  // The address bar follows zooming and selection with a short delay, so share its address after that delay.
  setTimeout(() => void copy(location.href, 'Link'), 150)
}

function middle(page: TracePage): number {
  const { from, to } = page.window.value
  return (from + to) / 2
}

function moveRow(page: TracePage, step: 1 | -1): void {
  const rows = page.rows.value
  if (!rows) return
  const row = rows.rowOf[page.selected.value] ?? -1
  const node = rows.nodes[row < 0 ? 0 : row + step]
  if (node !== undefined) page.select(node, { reveal: true })
}

/** Left folds, or goes to the parent if nothing can be folded. Right unfolds, or goes to the first child. */
function fold(page: TracePage, open: boolean, wholeSubtree: boolean): void {
  const trace = page.trace.value
  const node = page.selected.value
  if (!trace || node < 0) return
  const isOpen = page.open.value[node] === 1
  const canFold = trace.tree.subtreeEnd[node]! > node + 1
  if (canFold && (wholeSubtree || isOpen !== open)) page.toggle(node, { open, wholeSubtree })
  else if (open && canFold) moveRow(page, 1)
  else if (!open && trace.tree.parent[node]! >= 0) page.select(trace.tree.parent[node]!, { reveal: true })
}

function nextResult(page: TracePage, step: 1 | -1): void {
  const { results } = place.value
  const at = results?.traceIds.indexOf(page.traceId) ?? -1
  const id = at < 0 ? undefined : results!.traceIds[at + step]
  if (id) go(tracePath(id))
}

function focusPanel(page: TracePage): void {
  page.panelOpen.value = true
  requestAnimationFrame(() => document.querySelector<HTMLElement>('[data-panel]')?.focus())
}

/** Shortcuts work once the trace is loaded. */
export function traceKeys(page: TracePage): KeyTable {
  const when = (act: () => void) => () => {
    if (page.trace.value) act()
  }
  const key = (keys: string[], label: string, does: string, act: () => void) => ({ keys, label, does, act: when(act) })
  return {
    title: 'Trace',
    bindings: [
      key(['w'], 'W', 'zoom in', () => page.zoomBy(zoomStep, middle(page))),
      key(['s'], 'S', 'zoom out', () => page.zoomBy(1 / zoomStep, middle(page))),
      key(['a'], 'A', 'earlier', () => page.panBy(-panStep)),
      key(['d'], 'D', 'later', () => page.panBy(panStep)),
      key(['ArrowUp'], '↑', 'row above', () => moveRow(page, -1)),
      key(['ArrowDown'], '↓', 'row below', () => moveRow(page, 1)),
      key(['ArrowLeft'], '←', 'fold, or parent', () => fold(page, false, false)),
      key(['ArrowRight'], '→', 'unfold, or first child', () => fold(page, true, false)),
      key(['Shift+ArrowLeft'], 'Shift ←', 'fold the subtree', () => fold(page, false, true)),
      key(['Shift+ArrowRight'], 'Shift →', 'unfold the subtree', () => fold(page, true, true)),
      key(['Enter'], 'Enter', 'to the panel, Esc back', () => focusPanel(page)),
      key(['f'], 'f', 'fit the span', () => page.fit(page.selected.value)),
      key(['0'], '0', 'whole trace', () => page.zoomOut()),
      key(['n'], 'n', 'next match', () => page.nextMatch(1)),
      key(['Shift+n'], 'N', 'match before', () => page.nextMatch(-1)),
      key(['e'], 'e', 'next error', () => page.nextError(1)),
      key(['Shift+e'], 'E', 'error before', () => page.nextError(-1)),
      key(['c'], 'c', 'critical path only', () => page.setFilter({ critical: !page.filters.value.critical })),
      key(['o'], 'o', 'matches only', () => page.setFilter({ found: !page.filters.value.found })),
      key(['r'], 'r', 'raw or adjusted times', () => {
        const { tree } = page.trace.value!
        if (tree.flags.some((_, node) => has(tree, node, nodeFlags.skewed))) void page.setAdjusted(!page.adjusted.value)
      }),
      key(['['], '[', 'result before', () => nextResult(page, -1)),
      key([']'], ']', 'next result', () => nextResult(page, 1)),
      key(['y'], 'y', 'copy the link', shareLink),
    ],
  }
}
