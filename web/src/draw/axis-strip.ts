/** The time axis above the bars: tick labels share one unit and are offsets from the trace's start. */
import type { Axis } from '../model/axis.ts'
import type { Palette } from '../model/colour.ts'
import { beginDrawing, textWidth } from './surface.ts'

export interface AxisView {
  readonly axis: Axis
  readonly from: number
  readonly to: number
  readonly width: number
  readonly height: number
  readonly palette: Palette
}

export function renderAxis(canvas: HTMLCanvasElement, { axis, from, to, width, height, palette }: AxisView): void {
  const context = beginDrawing(canvas, width, height)
  const scale = width / (to - from)
  let free = 0
  for (const tick of axis.ticks) {
    const x = Math.round((tick - from) * scale)
    context.fillStyle = palette.divider
    context.fillRect(x, height - 6, 1, 6)
    const label = axis.print(tick)
    const labelWidth = textWidth(context, label)
    const left = Math.max(4, Math.min(width - labelWidth - 4, x - labelWidth / 2))
    if (left < free) continue
    free = left + labelWidth + 12
    context.fillStyle = palette.muted
    context.fillText(label, left, height / 2 - 1)
  }
}
