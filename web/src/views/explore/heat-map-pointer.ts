/** The pointer on the heat map: hover shows counts and marks a row, a click selects a cell, a drag selects a box. */
import type { RefObject } from 'preact'
import { useState } from 'preact/hooks'
import type { TraceOverviewAnswer } from '../../../../src/api/native/contract.ts'
import { heatScale } from '../../draw/heat-map.ts'
import type { HeatSize } from '../../draw/heat-map.ts'
import { printDuration, printPlural } from '../../model/format.ts'
import { boxOf, cellOf, heatGrid, isInBox } from '../../model/heat-grid.ts'
import type { Box } from '../../model/search-filters.ts'
import { printClock, printZone } from '../../model/time.ts'
import { change, exploreState, page, pointed } from '../../state/explore.ts'
import { zone } from '../../state/settings.ts'

const clickSlop = 4

interface Point {
  readonly x: number
  readonly y: number
}
interface Tip extends Point {
  readonly text: string
}

export function useHeatPointer(
  answer: TraceOverviewAnswer,
  canvas: RefObject<HTMLCanvasElement | null>,
  size: HeatSize,
) {
  const [start, setStart] = useState<Point | undefined>()
  const [dragBox, setDragBox] = useState<Box | undefined>()
  const [tip, setTip] = useState<Tip | undefined>()
  const place = (event: PointerEvent): Point => {
    const { left, top } = canvas.current!.getBoundingClientRect()
    return { x: event.clientX - left, y: event.clientY - top }
  }
  const handlers = {
    onPointerDown(event: PointerEvent) {
      canvas.current!.setPointerCapture(event.pointerId)
      setTip(undefined)
      setStart(place(event))
    },
    onPointerMove(event: PointerEvent) {
      const at = place(event)
      if (start) return setDragBox(isClick(start, at) ? undefined : boxBetween(answer, size, [start, at]))
      const filled = filledCell(answer, size, at)
      setTip(filled && { ...at, text: describeCell(filled) })
      pointed.value = (filled && traceIn(filled.box)) ?? ''
    },
    onPointerUp(event: PointerEvent) {
      const at = place(event)
      const box =
        start && (isClick(start, at) ? filledCell(answer, size, at)?.box : boxBetween(answer, size, [start, at]))
      setStart(undefined)
      setDragBox(undefined)
      if (box || exploreState.value.box) change({ box })
    },
    onPointerLeave() {
      setTip(undefined)
      pointed.value = ''
    },
  }
  return { handlers, tip, dragBox }
}

function isClick(a: Point, b: Point): boolean {
  return Math.abs(a.x - b.x) < clickSlop && Math.abs(a.y - b.y) < clickSlop
}

/** The cell under a pixel; with `clamped`, the nearest one. */
function cellAt(answer: TraceOverviewAnswer, size: HeatSize, { x, y }: Point, clamped = false) {
  const grid = heatGrid(answer)
  const scale = heatScale(grid, size)
  const [ms, nanos] = [scale.ms(x), scale.nanos(y)]
  if (!clamped) return cellOf(grid, ms, nanos)
  const within = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value))
  const [bottom, top] = [grid.bounds[0]!, grid.bounds.at(-1)!]
  return cellOf(grid, within(ms, grid.startMs, grid.endMs - 1), within(nanos, bottom, top * (1 - 1e-9)))
}

/** All cells that the drag touched, so that the map's own counts give the number of traces. */
function boxBetween(answer: TraceOverviewAnswer, size: HeatSize, corners: readonly [Point, Point]): Box | undefined {
  const [a, b] = corners.map((corner) => cellAt(answer, size, corner, true))
  return a && b && boxOf(heatGrid(answer), a, b)
}

function filledCell(answer: TraceOverviewAnswer, size: HeatSize, at: Point) {
  const cell = cellAt(answer, size, at)
  const found = cell && answer.cells.find(({ column, row }) => column === cell.column && row === cell.row)
  return found && { box: boxOf(heatGrid(answer), cell, cell), ...found }
}

function describeCell({ box, traces, errorTraces }: NonNullable<ReturnType<typeof filledCell>>): string {
  const errors = errorTraces > 0 ? `, ${errorTraces} with errors` : ''
  const time = `${printClock(box.fromMs, box.fromMs, zone.value)} ${printZone(box.fromMs, zone.value)}`
  const durations = `${printDuration(box.minNano)} – ${printDuration(box.maxNano)}`
  return `${printPlural(traces, 'trace')}${errors}\n${durations} at ${time}`
}

/** A listed trace in that cell. */
function traceIn(box: Box): string | undefined {
  return page.state.value.value?.traces.find(({ startTime, durationNano }) => {
    const ms = Date.parse(startTime)
    return ms >= box.fromMs && ms < box.toMs && isInBox(box, Number(durationNano))
  })?.traceId
}
