/**
 * The heat map of Explore: x is time, y is duration (logarithmic), colour strength is the number of traces. A red foot
 * shows errors.
 */
import type { TraceOverviewAnswer } from '../../../src/api/native/contract.ts'
import { clockTicks } from '../model/axis.ts'
import type { Palette } from '../model/colour.ts'
import { boxOf, cellOf, durationLabels, heatGrid, lowestDrawn } from '../model/heat-grid.ts'
import type { HeatGrid } from '../model/heat-grid.ts'
import type { Box } from '../model/search-filters.ts'
import { offsetMinutes, printTick } from '../model/time.ts'
import type { Zone } from '../model/time.ts'
import { beginDrawing, textWidth } from './surface.ts'

const heatMargin = { left: 72, right: 8, top: 8, bottom: 20 } as const

export interface HeatSize {
  readonly width: number
  readonly height: number
}

/** Converts between a grid and the pixels of a canvas of that size. */
export function heatScale(
  grid: HeatGrid,
  { width, height }: HeatSize,
): {
  x: (ms: number) => number
  y: (nanos: number) => number
  ms: (x: number) => number
  nanos: (y: number) => number
} {
  const inner = width - heatMargin.left - heatMargin.right
  const tall = height - heatMargin.top - heatMargin.bottom
  const span = grid.columns * grid.bucketMs
  const [low, high] = [Math.log(lowestDrawn(grid)), Math.log(grid.bounds.at(-1)!)]
  return {
    x: (ms) => heatMargin.left + ((ms - grid.startMs) / span) * inner,
    y: (nanos) => heatMargin.top + Math.min(1, 1 - (Math.log(Math.max(1, nanos)) - low) / (high - low)) * tall,
    ms: (x) => grid.startMs + ((x - heatMargin.left) / inner) * span,
    nanos: (y) => Math.exp(low + (1 - (y - heatMargin.top) / tall) * (high - low)),
  }
}

export interface HeatView extends HeatSize {
  readonly answer: TraceOverviewAnswer
  readonly palette: Palette
  readonly zone: Zone
  readonly box: Box | undefined
  /** The trace under the pointer in the table, or the cell under the pointer. */
  readonly pointed: { readonly ms: number; readonly nanos: number } | undefined
}

export function renderHeatMap(canvas: HTMLCanvasElement, view: HeatView): void {
  const context = beginDrawing(canvas, view.width, view.height)
  const grid = heatGrid(view.answer)
  const scale = heatScale(grid, view)
  renderScales(context, view, grid)
  const most = view.answer.cells.reduce((max, { traces }) => Math.max(max, traces), 1)
  for (const { column, row, traces, errorTraces } of view.answer.cells) {
    const low = grid.bounds[row]
    if (low === undefined || column >= grid.columns) continue
    const x0 = scale.x(grid.startMs + column * grid.bucketMs)
    const x1 = scale.x(grid.startMs + (column + 1) * grid.bucketMs)
    const [y0, y1] = [scale.y(grid.bounds[row + 1]!), scale.y(low)]
    const [w, h] = [Math.max(1, x1 - x0 - 1), Math.max(1, y1 - y0 - 1)]
    context.globalAlpha = 0.28 + 0.72 * (Math.log1p(traces) / Math.log1p(most))
    context.fillStyle = view.palette.accent
    context.fillRect(x0, y0, w, h)
    context.globalAlpha = 1
    if (errorTraces === 0) continue
    context.fillStyle = view.palette.error
    const foot = Math.max(3, h * (errorTraces / traces))
    context.fillRect(x0, y1 - 1 - foot, w, foot)
  }
  if (view.box) renderBox(context, view, scale)
  if (view.pointed) renderPointed(context, view, grid)
}

function renderScales(context: CanvasRenderingContext2D, view: HeatView, grid: HeatGrid): void {
  const { palette } = view
  const scale = heatScale(grid, view)
  const bottom = view.height - heatMargin.bottom
  context.textAlign = 'right'
  let lastY = Infinity
  for (const { nanos, label } of durationLabels(grid)) {
    const y = scale.y(nanos)
    if (lastY - y < 14) continue
    lastY = y
    context.fillStyle = palette.divider
    context.fillRect(heatMargin.left, Math.round(y), view.width - heatMargin.left - heatMargin.right, 1)
    context.fillStyle = palette.muted
    context.fillText(label, heatMargin.left - 8, Math.max(8, Math.min(bottom - 4, y)))
  }
  context.textAlign = 'left'
  const ticks = clockTicks(grid.startMs, grid.endMs, {
    most: Math.floor(view.width / 120),
    offsetMinutes: offsetMinutes(grid.startMs, view.zone),
  })
  for (const tick of ticks.ticks) {
    const x = Math.round(scale.x(tick))
    const label = printTick(tick, ticks.step, view.zone)
    const half = textWidth(context, label) / 2
    context.fillStyle = palette.divider
    context.fillRect(x, bottom, 1, 4)
    if (x - half < heatMargin.left || x + half > view.width) continue
    context.fillStyle = palette.muted
    context.fillText(label, x - half, bottom + 12)
  }
}

function renderBox(context: CanvasRenderingContext2D, view: HeatView, scale: ReturnType<typeof heatScale>): void {
  const { fromMs, toMs, minNano, maxNano } = view.box!
  const [x0, x1, y0, y1] = [scale.x(fromMs), scale.x(toMs), scale.y(maxNano), scale.y(minNano)]
  context.strokeStyle = view.palette.text
  context.lineWidth = 1.5
  context.strokeRect(x0 - 1.5, y0 - 1.5, x1 - x0 + 2, y1 - y0 + 2)
}

function renderPointed(context: CanvasRenderingContext2D, view: HeatView, grid: HeatGrid): void {
  const cell = cellOf(grid, view.pointed!.ms, view.pointed!.nanos)
  if (!cell) return
  const scale = heatScale(grid, view)
  const { fromMs, toMs, minNano, maxNano } = boxOf(grid, cell, cell)
  const [x0, x1, y0, y1] = [scale.x(fromMs), scale.x(toMs), scale.y(maxNano), scale.y(minNano)]
  context.strokeStyle = view.palette.text
  context.lineWidth = 1
  context.strokeRect(x0 - 1.5, y0 - 1.5, x1 - x0 + 2, y1 - y0 + 2)
}
