import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { forgetDraw, requestDraw } from '../../draw/frame.ts'
import { minimapHeight, renderMinimap } from '../../draw/minimap.ts'
import { printDuration } from '../../model/format.ts'
import { makeStrip } from '../../model/strip.ts'
import { palette } from '../../state/settings.ts'
import type { TracePage } from '../../state/trace-page.ts'
import { useMinimapDrag } from './minimap-drag.ts'

/**
 * Drag a range to zoom to it, the window to move it, or its edges to resize it. A double click shows the whole trace.
 */
export function MinimapView({ page }: { page: TracePage }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)))
    observer.observe(canvas.current!.parentElement!)
    return () => observer.disconnect()
  }, [])
  const trace = page.trace.value!
  const { duration, start, length } = trace.timing
  const strip = useMemo(() => (width > 0 ? makeStrip(trace, width) : undefined), [trace, width])
  const { from, to } = page.window.value
  const selected = page.selected.value
  const colours = palette.value
  useLayoutEffect(() => {
    const draw = (): void => {
      if (!strip || !canvas.current) return
      const share = (node: number): { from: number; to: number } => ({
        from: start[node]! / duration,
        to: (start[node]! + length[node]!) / duration,
      })
      const window = { from: from / duration, to: to / duration }
      renderMinimap(canvas.current, {
        strip,
        width,
        palette: colours,
        window,
        selected: selected >= 0 ? share(selected) : undefined,
      })
    }
    requestDraw(draw)
    return () => forgetDraw(draw)
  }, [strip, from, to, selected, colours, width])
  const handlers = useMinimapDrag(page, canvas, width)
  return (
    <div class="minimap">
      <canvas
        ref={canvas}
        style={{ width: '100%', height: `${minimapHeight}px` }}
        role="img"
        aria-label={`The whole trace, ${printDuration(duration)}; shown: ${printDuration(from)} to ${printDuration(to)}`}
        {...handlers}
        onDblClick={() => page.zoomOut()}
      />
    </div>
  )
}
