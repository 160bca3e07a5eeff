import type { Signal } from '@preact/signals'
import { useRef } from 'preact/hooks'

const keyStep = 24
const smallest = 200
const largest = 1000

/**
 * A handle between two panes. `value` is the width of the pane on its `side`; `at` is the handle's distance from that
 * side.
 */
export function Splitter({
  value,
  at,
  side,
  label,
}: {
  value: Signal<number>
  at: number
  side: 'left' | 'right'
  label: string
}) {
  const start = useRef<{ x: number; width: number } | undefined>(undefined)
  const sign = side === 'left' ? 1 : -1
  const set = (width: number): void => {
    value.value = Math.max(smallest, Math.min(largest, width))
  }
  return (
    <div
      class="splitter"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={Math.round(at)}
      aria-valuemin={smallest}
      aria-valuemax={largest}
      tabIndex={0}
      style={{ [side]: `${at - 4}px` }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        start.current = { x: event.clientX, width: at }
      }}
      onPointerMove={(event) => {
        if (start.current && event.buttons > 0) set(start.current.width + sign * (event.clientX - start.current.x))
      }}
      onPointerUp={() => (start.current = undefined)}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowRight' ? keyStep : event.key === 'ArrowLeft' ? -keyStep : 0
        if (step === 0) return
        set(at + sign * step)
        event.preventDefault()
        event.stopPropagation()
      }}
    />
  )
}
