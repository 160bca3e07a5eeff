/** Dragging on the minimap: makes a new window, moves the window, or moves one of its edges. */
import type { RefObject } from 'preact'
import { useRef } from 'preact/hooks'
import type { TracePage } from '../../state/trace-page.ts'

const edgeSlop = 6
const clickSlop = 3

type Drag =
  | { readonly kind: 'new'; readonly at: number }
  | { readonly kind: 'move'; readonly by: number }
  | { readonly kind: 'from' }
  | { readonly kind: 'to' }

/** What a press at that time would grab. */
function takeHold(at: number, window: { from: number; to: number }, limits: { slop: number; duration: number }): Drag {
  const { from, to } = window
  if (from <= 0 && to >= limits.duration) return { kind: 'new', at }
  if (Math.abs(at - from) < limits.slop) return { kind: 'from' }
  if (Math.abs(at - to) < limits.slop) return { kind: 'to' }
  return at > from && at < to ? { kind: 'move', by: at - from } : { kind: 'new', at }
}

export function useMinimapDrag(page: TracePage, canvas: RefObject<HTMLCanvasElement | null>, width: number) {
  const drag = useRef<Drag | undefined>(undefined)
  const duration = page.trace.value!.timing.duration
  const timeOf = (event: PointerEvent): number => {
    const { left } = canvas.current!.getBoundingClientRect()
    return (Math.max(0, Math.min(width, event.clientX - left)) / width) * duration
  }
  const hold = (at: number): Drag => takeHold(at, page.window.peek(), { slop: (edgeSlop / width) * duration, duration })
  const move = (now: Drag, at: number): void => {
    const { from, to } = page.window.peek()
    if (now.kind === 'new') page.zoomTo({ from: Math.min(at, now.at), to: Math.max(at, now.at) })
    else if (now.kind === 'from') page.zoomTo({ from: Math.min(at, to), to })
    else if (now.kind === 'to') page.zoomTo({ from, to: Math.max(at, from) })
    else {
      const left = Math.max(0, Math.min(duration - (to - from), at - now.by))
      page.zoomTo({ from: left, to: left + to - from })
    }
  }
  return {
    onPointerDown(event: PointerEvent) {
      canvas.current!.setPointerCapture(event.pointerId)
      drag.current = hold(timeOf(event))
    },
    onPointerMove(event: PointerEvent) {
      const { kind } = hold(timeOf(event))
      canvas.current!.style.cursor = kind === 'new' ? 'crosshair' : kind === 'move' ? 'grab' : 'ew-resize'
      if (drag.current && event.buttons > 0) move(drag.current, timeOf(event))
    },
    /** A click outside the window shows the whole trace again. */
    onPointerUp(event: PointerEvent) {
      const was = drag.current
      drag.current = undefined
      if (was?.kind === 'new' && Math.abs(timeOf(event) - was.at) < (clickSlop / width) * duration) page.zoomOut()
    },
  }
}
