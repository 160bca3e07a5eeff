import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { TraceOverviewAnswer } from '../../../../src/api/native/contract.ts'
import { forgetDraw, requestDraw } from '../../draw/frame.ts'
import { renderHeatMap } from '../../draw/heat-map.ts'
import { printPlural } from '../../model/format.ts'
import { exploreState, overview, page, pointed } from '../../state/explore.ts'
import { palette, zone } from '../../state/settings.ts'
import { useHeatPointer } from './heat-map-pointer.ts'

const height = 160
const tipWidth = 240

export function HeatMap() {
  const answer = overview.state.value.value
  return <div class="heat-map">{answer && <HeatCanvas answer={answer} />}</div>
}

function HeatCanvas({ answer }: { answer: TraceOverviewAnswer }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)))
    observer.observe(canvas.current!.parentElement!)
    return () => observer.disconnect()
  }, [])
  const { handlers, tip, dragBox } = useHeatPointer(answer, canvas, { width, height })
  const trace = page.state.value.value?.traces.find(({ traceId }) => traceId === pointed.value)
  const colours = palette.value
  const shownZone = zone.value
  const box = dragBox ?? exploreState.value.box
  useLayoutEffect(() => {
    const draw = (): void => {
      if (!canvas.current || width === 0) return
      const mark = trace && { ms: Date.parse(trace.startTime), nanos: Number(trace.durationNano) }
      renderHeatMap(canvas.current, { answer, width, height, palette: colours, zone: shownZone, box, pointed: mark })
    }
    requestDraw(draw)
    return () => forgetDraw(draw)
  }, [answer, width, colours, shownZone, box, trace])
  const summary = `${printPlural(answer.total, 'trace')}, ${answer.errorTraces} with errors`
  return (
    <>
      <canvas
        ref={canvas}
        style={{ width: '100%', height: `${height}px` }}
        role="img"
        aria-label={`Traces by time and duration: ${summary}. The table below lists them.`}
        {...handlers}
      />
      {tip && (
        <div
          class="tip"
          style={{ left: `${Math.min(tip.x + 12, width - tipWidth)}px`, top: `${Math.max(0, tip.y - 44)}px` }}
        >
          {tip.text}
        </div>
      )}
    </>
  )
}
