import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { namesWidth } from '../../state/settings.ts'
import type { TracePage } from '../../state/trace-page.ts'
import { rowHeight } from '../../state/trace-page.ts'
import { Splitter } from '../splitter.tsx'
import { Names } from './names.tsx'
import { useTimeline } from './timeline.ts'

/**
 * Names on the left (DOM, a virtual tree grid), bars on the right (canvas); one scroll position and one frame draw
 * both.
 */
export function Waterfall({ page }: { page: TracePage }) {
  const scroller = useRef<HTMLDivElement>(null)
  const axis = useRef<HTMLCanvasElement>(null)
  const bars = useRef<HTMLCanvasElement>(null)
  const overlay = useRef<HTMLCanvasElement>(null)
  const stripes = useRef<HTMLDivElement>(null)
  const tip = useRef<HTMLDivElement>(null)
  const cursor = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect
      setSize({ width: Math.floor(width), height: Math.floor(height) })
      page.viewHeight.value = Math.floor(height)
    })
    observer.observe(scroller.current!)
    return () => observer.disconnect()
  }, [page])
  const names = Math.min(namesWidth.value, Math.max(160, size.width - 200))
  const handlers = useTimeline(
    page,
    { scroller, axis, bars, overlay, stripes, tip, cursor },
    { width: Math.max(0, size.width - names), height: size.height },
  )
  const rows = page.rows.value!
  return (
    <section class="waterfall" aria-label="Waterfall">
      <div class="waterfall-head">
        <div class="names-head" style={{ width: `${names}px` }}>
          Service and operation
        </div>
        <canvas ref={axis} aria-hidden="true" {...handlers.axis} />
        <div class="cursor-time" ref={cursor} hidden />
      </div>
      <div
        class="waterfall-scroll"
        ref={scroller}
        onScroll={({ currentTarget }) => (page.scrollTop.value = currentTarget.scrollTop)}
      >
        <div style={{ height: `${Math.max(rows.nodes.length * rowHeight, size.height)}px` }}>
          <div class="stage" style={{ height: `${size.height}px` }} onPointerLeave={handlers.leave}>
            <div class="stripes" ref={stripes}>
              <div class="stripe selected" />
              <div class="stripe hover" />
            </div>
            <Names page={page} width={names} />
            <div class="bars" style={{ left: `${names}px` }} {...handlers.bars}>
              <canvas ref={bars} aria-hidden="true" />
              <canvas ref={overlay} aria-hidden="true" />
            </div>
            <div class="tip" ref={tip} hidden />
          </div>
        </div>
      </div>
      <Splitter value={namesWidth} at={names} side="left" label="Width of the names" />
    </section>
  )
}
