/** Rows that stand for several spans: a density strip for a group of siblings, a dashed line for a missing parent. */
import type { RowPainter } from './row-painter.ts'

const middle = 11
const stripHeight = 14
const lineHeight = 2

/**
 * The more members run at a pixel, the stronger it is drawn. The cost is one step for each member in view and one box
 * for each run of equal strength.
 */
export function drawGroup(painter: RowPainter, node: number, top: number): void {
  const { context, view, x } = painter
  const { tree, timing } = view.trace
  const colour = view.palette.slots[tree.colours[tree.service[node]!]!.slot]!
  const columns = Math.ceil(view.width) + 1
  const busy = membersPerColumn(painter, node, columns)
  const alpha = context.globalAlpha
  context.fillStyle = colour
  const [x0, x1] = [
    Math.max(0, x(timing.start[node]!)),
    Math.min(view.width, x(timing.start[node]! + timing.length[node]!)),
  ]
  context.globalAlpha = alpha * 0.6
  context.fillRect(x0, top + middle - lineHeight / 2, Math.max(1, x1 - x0), lineHeight)
  const strength = (column: number): number => (busy[column]! <= 0 ? 0 : Math.min(4, 1 + Math.floor(busy[column]! * 3)))
  for (let from = 0; from < columns;) {
    const level = strength(from)
    let to = from + 1
    while (to < columns && strength(to) === level) to++
    if (level > 0) {
      context.globalAlpha = alpha * (0.25 + level * 0.1875)
      const gap = level === 4 && to - from > 3 ? 1 : 0
      context.fillRect(from, top + middle - stripHeight / 2, to - from - gap, stripHeight)
    }
    from = to
  }
  context.globalAlpha = alpha
}

/**
 * How many members run in each pixel column. A partly covered column counts by the covered part. Whole columns are
 * counted as steps up and down, because each of 200,000 members may cover the full width.
 */
function membersPerColumn({ view, x }: RowPainter, node: number, columns: number): Float64Array {
  const { tree, timing } = view.trace
  const busy = new Float64Array(columns)
  const steps = new Float64Array(columns + 1)
  for (let child = node + 1; child < tree.subtreeEnd[node]!; child = tree.subtreeEnd[child]!) {
    const [a, b] = [x(timing.start[child]!), x(timing.start[child]! + timing.length[child]!)]
    // Members are sorted by start.
    if (a > view.width) break
    if (b < 0) continue
    const [first, last] = [Math.max(0, Math.floor(a)), Math.min(columns - 1, Math.floor(b))]
    busy[first]! += Math.max(0.25, Math.min(b, first + 1) - Math.max(a, first))
    if (last === first) continue
    busy[last]! += Math.max(0.25, Math.min(b, last + 1) - last)
    steps[first + 1]!++
    steps[last]!--
  }
  for (let column = 0, whole = 0; column < columns; column++) {
    whole += steps[column]!
    busy[column]! += whole
  }
  return busy
}

export function drawMissingParent(
  { context, view }: RowPainter,
  { x0, x1, top }: { x0: number; x1: number; top: number },
): void {
  context.strokeStyle = view.palette.muted
  context.lineWidth = 1.5
  context.setLineDash([4, 4])
  context.strokeRect(x0 + 0.75, top + middle - stripHeight / 2 + 0.75, Math.max(2, x1 - x0 - 1.5), stripHeight - 1.5)
  context.setLineDash([])
}
