/**
 * The whole trace in 56 px: six depths, each with its critical rail; error ticks above, the selection below, the window
 * in front.
 */
import type { Palette } from '../model/colour.ts'
import { stripDepths } from '../model/strip.ts'
import type { Strip } from '../model/strip.ts'
import { beginDrawing } from './surface.ts'

const depthHeight = 4
const railHeight = 2
const errorHeight = 6
export const minimapHeight = errorHeight + 2 + stripDepths * (depthHeight + railHeight + 1) + 6

export interface MinimapView {
  readonly strip: Strip
  readonly width: number
  readonly palette: Palette
  /** Fractions of the width, 0 to 1. */
  readonly window: { readonly from: number; readonly to: number }
  readonly selected: { readonly from: number; readonly to: number } | undefined
}

export function renderMinimap(
  canvas: HTMLCanvasElement,
  { strip, width, palette, window, selected }: MinimapView,
): void {
  const context = beginDrawing(canvas, width, minimapHeight)
  const pixel = width / strip.columns
  for (let depth = 0; depth < stripDepths; depth++) {
    const row = depth * strip.columns
    const top = errorHeight + 2 + depth * (depthHeight + railHeight + 1)
    for (let from = 0; from < strip.columns;) {
      const slot = strip.slot[row + from]!
      let to = from + 1
      while (to < strip.columns && strip.slot[row + to] === slot) to++
      if (slot > 0) {
        context.fillStyle = palette.slots[slot - 1]!
        context.fillRect(from * pixel, top, (to - from) * pixel, depthHeight)
      }
      from = to
    }
    context.fillStyle = palette.text
    for (let column = 0; column < strip.columns; column++) {
      if (strip.critical[row + column]) context.fillRect(column * pixel, top + depthHeight, pixel, railHeight)
    }
  }
  context.fillStyle = palette.error
  for (let column = 0; column < strip.columns; column++) {
    if (strip.error[column]) context.fillRect(column * pixel - 0.5, 0, 2, errorHeight)
  }
  if (selected) {
    context.fillStyle = palette.accent
    context.fillRect(selected.from * width, minimapHeight - 3, Math.max(3, (selected.to - selected.from) * width), 2)
  }
  renderWindow(context, { width, palette, window })
}

function renderWindow(
  context: CanvasRenderingContext2D,
  { width, palette, window }: Pick<MinimapView, 'width' | 'palette' | 'window'>,
): void {
  const [a, b] = [window.from * width, window.to * width]
  if (a <= 0.5 && b >= width - 0.5) return
  context.fillStyle = palette.bg
  context.globalAlpha = 0.72
  context.fillRect(0, 0, a, minimapHeight)
  context.fillRect(b, 0, width - b, minimapHeight)
  context.globalAlpha = 1
  context.strokeStyle = palette.accent
  context.lineWidth = 1.5
  context.strokeRect(a + 0.75, 0.75, Math.max(2, b - a - 1.5), minimapHeight - 1.5)
}
