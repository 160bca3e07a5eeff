/** Draws the canvases of the waterfall and handles the pointer; it changes only the page's state. */
import { effect } from '@preact/signals'
import type { RefObject } from 'preact'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { renderAxis } from '../../draw/axis-strip.ts'
import { forgetDraw, requestDraw } from '../../draw/frame.ts'
import { renderHover } from '../../draw/hover.ts'
import { beginDrawing } from '../../draw/surface.ts'
import { renderWaterfall } from '../../draw/waterfall.ts'
import type { WaterfallView } from '../../draw/row-painter.ts'
import { durationAxis } from '../../model/axis.ts'
import { printDuration, printOffset } from '../../model/format.ts'
import { nodeTitle } from '../../model/trace.ts'
import { palette } from '../../state/settings.ts'
import type { TracePage } from '../../state/trace-page.ts'
import { rowHeight } from '../../state/trace-page.ts'

const tickEvery = 110
const zoomPerPixel = 1.002
const clickSlop = 4
const axisHeight = 24

export interface TimelineElements {
  readonly scroller: RefObject<HTMLDivElement | null>
  readonly axis: RefObject<HTMLCanvasElement | null>
  readonly bars: RefObject<HTMLCanvasElement | null>
  readonly overlay: RefObject<HTMLCanvasElement | null>
  readonly stripes: RefObject<HTMLDivElement | null>
  readonly tip: RefObject<HTMLDivElement | null>
  readonly cursor: RefObject<HTMLDivElement | null>
}

interface Pointer {
  x: number
  y: number
  drag: { from: number; to: number } | undefined
}

function viewOf(page: TracePage, size: { width: number; height: number }): WaterfallView {
  const { from, to } = page.window.peek()
  return {
    trace: page.trace.peek()!,
    rows: page.rows.peek()!,
    open: page.open.peek(),
    from,
    to,
    ...size,
    scrollTop: page.scrollTop.peek(),
    ticks: durationAxis(from, to, Math.max(1, Math.floor(size.width / tickEvery))).ticks,
    palette: palette.peek(),
    selected: page.selected.peek(),
    found: page.found.peek().marks,
    ghosts: page.adjusted.peek() ? page.rawStart : undefined,
  }
}

export function useTimeline(page: TracePage, elements: TimelineElements, size: { width: number; height: number }) {
  const pointer = useRef<Pointer>({ x: -1, y: -1, drag: undefined })
  const view = (): WaterfallView => viewOf(page, size)

  const drawHover = (): void => {
    if (!elements.overlay.current || size.width <= 0) return
    const { x, drag } = pointer.current
    renderHover(elements.overlay.current, view(), { x, node: page.hovered.peek(), drag })
    placeStripes(page, elements)
    placeCursor(page, elements, { x, width: size.width })
    placeTip(page, elements, { pointer: pointer.current, width: size.width })
  }
  const drawAll = (): void => {
    if (!elements.bars.current || size.width <= 0) return
    const now = view()
    renderWaterfall(beginDrawing(elements.bars.current, size.width, size.height), now)
    const axis = durationAxis(now.from, now.to, Math.max(1, Math.floor(size.width / tickEvery)))
    renderAxis(elements.axis.current!, {
      axis,
      from: now.from,
      to: now.to,
      width: size.width,
      height: axisHeight,
      palette: now.palette,
    })
    drawHover()
  }
  useLayoutEffect(() => {
    for (const canvas of [elements.axis, elements.bars, elements.overlay]) {
      canvas.current!.style.width = `${size.width}px`
      canvas.current!.style.height = `${canvas === elements.axis ? axisHeight : size.height}px`
    }
    const stopBars = effect(() => {
      void [page.trace.value, page.rows.value, page.open.value, page.window.value, page.scrollTop.value]
      void [page.selected.value, page.found.value, palette.value]
      requestDraw(drawAll)
    })
    const stopHover = effect(() => {
      void page.hovered.value
      requestDraw(drawHover)
    })
    const stopReveal = effect(() => {
      const node = page.reveal.value?.node
      if (node !== undefined) revealRow(page, elements.scroller.current!, node)
    })
    return () => {
      for (const stop of [stopBars, stopHover, stopReveal]) stop()
      forgetDraw(drawAll)
      forgetDraw(drawHover)
    }
  }, [page, size.width, size.height])
  useWheel(page, elements, size.width)
  return useMemo(
    () => handlers(page, elements, { pointer, width: size.width, redraw: () => requestDraw(drawHover) }),
    [page, size.width, size.height],
  )
}

function revealRow(page: TracePage, scroller: HTMLElement, node: number): void {
  const row = page.rows.peek()!.rowOf[node]!
  if (row < 0) return
  const top = row * rowHeight
  const height = page.viewHeight.peek()
  // The spacer of new rows is laid out after this; reading the height now forces the layout to happen first.
  requestDraw(() => {
    const at = scroller.scrollTop
    if (top < at + rowHeight) scroller.scrollTop = Math.max(0, top - height / 3)
    else if (top > at + height - 2 * rowHeight) scroller.scrollTop = top - (height * 2) / 3
    scrollPage(scroller, top - scroller.scrollTop)
  })
}

/**
 * In a low window the page scrolls around the rows, so the row `offset` pixels down must be visible in the page too.
 */
function scrollPage(scroller: HTMLElement, offset: number): void {
  const page = scroller.closest('.trace')
  if (!page || page.scrollHeight <= page.clientHeight) return
  const view = page.getBoundingClientRect()
  const top = scroller.getBoundingClientRect().top + offset
  page.scrollTop += Math.max(0, top + 2 * rowHeight - view.bottom) - Math.max(0, view.top - top)
}

function placeStripes(page: TracePage, { stripes }: TimelineElements): void {
  const [selected, hover] = stripes.current!.children as unknown as [HTMLElement, HTMLElement]
  for (const [stripe, node] of [
    [selected, page.selected.peek()],
    [hover, page.hovered.peek()],
  ] as const) {
    const row = node < 0 ? -1 : page.rows.peek()!.rowOf[node]!
    stripe.hidden = row < 0 || (stripe === hover && node === page.selected.peek())
    stripe.style.transform = `translateY(${row * rowHeight - page.scrollTop.peek()}px)`
  }
}

/** The time under the pointer, shown on the axis, where it covers no bar. */
function placeCursor(
  page: TracePage,
  { cursor, bars }: TimelineElements,
  { x, width }: { x: number; width: number },
): void {
  const element = cursor.current!
  element.hidden = x < 0
  if (x < 0) return
  const { from, to } = page.window.peek()
  element.textContent = printOffset(from + (x / width) * (to - from))
  const left = Math.max(0, Math.min(width - element.offsetWidth, x - element.offsetWidth / 2))
  element.style.transform = `translateX(${bars.current!.parentElement!.offsetLeft + left}px)`
}

function placeTip(
  page: TracePage,
  { tip, bars }: TimelineElements,
  { pointer, width }: { pointer: Pointer; width: number },
): void {
  const node = page.hovered.peek()
  const element = tip.current!
  element.hidden = node < 0 || pointer.x < 0 || pointer.drag !== undefined
  if (element.hidden) return
  const { tree, timing } = page.trace.peek()!
  element.textContent = `${nodeTitle(tree, node)}\n${printDuration(timing.length[node]!)}, self ${printDuration(timing.self[node]!)}, at ${printOffset(timing.start[node]!)}`
  const left = bars.current!.parentElement!.offsetLeft
  const x = pointer.x + 14 + element.offsetWidth > width ? pointer.x - element.offsetWidth - 14 : pointer.x + 14
  const below = pointer.y + 24 + element.offsetHeight < page.viewHeight.peek()
  element.style.transform = `translate(${left + Math.max(4, x)}px, ${below ? pointer.y + 20 : pointer.y - element.offsetHeight - 12}px)`
}

function useWheel(page: TracePage, { bars, axis }: TimelineElements, width: number): void {
  useLayoutEffect(() => {
    const target = bars.current!.parentElement!
    const zoom = (event: WheelEvent): void => {
      const { from, to } = page.window.peek()
      const { left } = target.getBoundingClientRect()
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault()
        page.zoomBy(zoomPerPixel ** event.deltaY, from + ((event.clientX - left) / width) * (to - from))
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault()
        page.panBy((event.deltaX || event.deltaY) / width)
      }
    }
    // Preact adds passive wheel listeners, and a passive listener cannot stop the browser from zooming the page.
    target.addEventListener('wheel', zoom, { passive: false })
    axis.current!.addEventListener('wheel', zoom, { passive: false })
    return () => {
      target.removeEventListener('wheel', zoom)
      axis.current?.removeEventListener('wheel', zoom)
    }
  }, [page, width])
}

interface HandlerOptions {
  readonly pointer: RefObject<Pointer>
  readonly width: number
  readonly redraw: () => void
}

function handlers(page: TracePage, elements: TimelineElements, { pointer, width, redraw }: HandlerOptions) {
  const now = pointer.current!
  const place = (event: PointerEvent | MouseEvent): { x: number; y: number } => {
    const { left, top } = elements.bars.current!.getBoundingClientRect()
    return { x: event.clientX - left, y: event.clientY - top }
  }
  const nodeAt = (y: number): number =>
    page.rows.peek()!.nodes[Math.floor((y + page.scrollTop.peek()) / rowHeight)] ?? -1
  const timeAt = (x: number): number => {
    const { from, to } = page.window.peek()
    return from + (x / width) * (to - from)
  }
  const move = (event: PointerEvent): void => {
    Object.assign(now, place(event))
    if (now.drag) now.drag.to = now.x
    else page.hovered.value = nodeAt(now.y)
    redraw()
  }
  const leave = (): void => {
    Object.assign(now, { x: -1, y: -1 })
    page.hovered.value = -1
    redraw()
  }
  const begin = (event: PointerEvent): void => {
    if (event.button !== 0) return
    ;(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId)
    const { x } = place(event)
    now.drag = { from: x, to: x }
  }
  const end = (onClick: (y: number) => void) => (event: PointerEvent) => {
    const { drag } = now
    now.drag = undefined
    if (!drag) return
    if (Math.abs(drag.to - drag.from) < clickSlop) onClick(place(event).y)
    else page.zoomTo({ from: timeAt(Math.min(drag.from, drag.to)), to: timeAt(Math.max(drag.from, drag.to)) })
    redraw()
  }
  const fit = (event: MouseEvent): void => {
    const node = nodeAt(place(event).y)
    if (node >= 0) page.fit(node)
  }
  return {
    leave,
    bars: {
      onPointerMove: move,
      onPointerDown: begin,
      onPointerUp: end((y) => page.select(nodeAt(y))),
      onDblClick: fit,
    },
    axis: {
      onPointerMove: (event: PointerEvent) => {
        now.x = place(event).x
        now.y = -1
        if (now.drag) now.drag.to = now.x
        redraw()
      },
      onPointerDown: begin,
      onPointerUp: end(() => {}),
      onPointerLeave: leave,
      onDblClick: () => page.zoomOut(),
    },
  }
}
