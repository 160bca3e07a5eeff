/** The layer above the bars, redrawn alone while the pointer moves: crosshair, outlines of ancestors, dragged range. */
import { isSpan } from '../model/trace.ts'
import { beginDrawing } from './surface.ts'
import type { WaterfallView } from './row-painter.ts'
import { rowHeight } from './waterfall.ts'

export interface Hover {
  /** Pixel of the crosshair; negative for none. */
  readonly x: number
  readonly node: number
  /** The range that is being dragged out, in pixels. */
  readonly drag: { readonly from: number; readonly to: number } | undefined
}

export function renderHover(canvas: HTMLCanvasElement, view: WaterfallView, hover: Hover): void {
  const context = beginDrawing(canvas, view.width, view.height)
  const { palette, trace, rows } = view
  const scale = view.width / (view.to - view.from)
  context.lineWidth = 1
  if (hover.node >= 0) {
    context.strokeStyle = palette.accent
    for (let above = trace.tree.parent[hover.node]!; above >= 0; above = trace.tree.parent[above]!) {
      const y = rows.rowOf[above]! * rowHeight - view.scrollTop
      if (rows.rowOf[above]! < 0 || y < -rowHeight || y > view.height || !isSpan(trace.tree, above)) continue
      const x0 = Math.max(-2, (trace.timing.start[above]! - view.from) * scale)
      const x1 = Math.min(
        view.width + 2,
        (trace.timing.start[above]! + trace.timing.length[above]! - view.from) * scale,
      )
      if (x1 > x0) context.strokeRect(x0 - 0.5, y + 2.5, x1 - x0 + 1, 17)
    }
  }
  if (hover.drag) {
    const [a, b] = [Math.min(hover.drag.from, hover.drag.to), Math.max(hover.drag.from, hover.drag.to)]
    context.fillStyle = palette.accent
    context.globalAlpha = 0.18
    context.fillRect(a, 0, b - a, view.height)
    context.globalAlpha = 1
  }
  if (hover.x < 0) return
  context.fillStyle = palette.accent
  context.fillRect(Math.round(hover.x), 0, 1, view.height)
}
