import { useEffect, useRef, useState } from 'preact/hooks'
import { parseTimeInput, printRange, printRfc3339, printTimeInput, printZone, rangePresets } from '../../model/time.ts'
import { change, exploreRange, exploreState } from '../../state/explore.ts'
import { rangeOpen } from '../../state/keys.ts'
import { zone } from '../../state/settings.ts'
import { Icon } from '../icons.tsx'

export function RangePicker() {
  const { range } = exploreState.value
  const root = useRef<HTMLDivElement>(null)
  const isOpen = rangeOpen.value
  useEffect(() => {
    if (!isOpen) return undefined
    const close = ({ target }: Event): void => {
      if (!root.current?.contains(target as Node)) rangeOpen.value = false
    }
    addEventListener('pointerdown', close)
    return () => {
      removeEventListener('pointerdown', close)
      // Closing the menu removed the focus.
      if (document.activeElement === document.body) root.current?.querySelector('button')?.focus()
    }
  }, [isOpen])
  return (
    <div class="range" ref={root}>
      <button class="button" title="Time range (t)" aria-expanded={isOpen} onClick={() => (rangeOpen.value = !isOpen)}>
        <Icon name="clock" />
        {printRange(range, exploreRange.value.toMs, zone.value)}
        <Icon name="down" />
      </button>
      {isOpen && <RangeMenu />}
    </div>
  )
}

/** Arrow keys move through the presets; Tab goes on to the times. */
function moveInMenu(event: KeyboardEvent): void {
  const item = document.activeElement
  if (!item?.classList.contains('menu-item') || !/^Arrow(Up|Down)$/.test(event.key)) return
  event.preventDefault()
  const next = event.key === 'ArrowDown' ? item.nextElementSibling : item.previousElementSibling
  if (next?.classList.contains('menu-item')) (next as HTMLElement).focus()
}

function RangeMenu() {
  const { fromMs, toMs } = exploreRange.value
  const [from, setFrom] = useState(printTimeInput(fromMs, zone.value))
  const [to, setTo] = useState(printTimeInput(toMs, zone.value))
  const [a, b] = [parseTimeInput(from, zone.value), parseTimeInput(to, zone.value)]
  const isValid = a !== undefined && b !== undefined && a < b
  const take = (range: { from: string; to: string }): void => {
    rangeOpen.value = false
    change({ range, box: undefined })
  }
  const menu = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const items = menu.current!.querySelectorAll<HTMLElement>('.menu-item')
    const chosen = [...items].find((item) => item.getAttribute('aria-pressed') === 'true')
    ;(chosen ?? items[0]!).focus()
  }, [])
  return (
    <div class="menu" role="dialog" aria-label="Time range" ref={menu} onKeyDown={moveInMenu}>
      {rangePresets.map(({ from: preset, label }) => (
        <button
          key={preset}
          class="menu-item"
          aria-pressed={exploreState.value.range.from === preset}
          onClick={() => take({ from: preset, to: '' })}
        >
          {label}
        </button>
      ))}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (isValid) take({ from: printRfc3339(a), to: printRfc3339(b) })
        }}
      >
        <label>
          From
          <input
            class="mono"
            value={from}
            aria-invalid={a === undefined}
            onInput={({ currentTarget }) => setFrom(currentTarget.value)}
          />
        </label>
        <label>
          To
          <input
            class="mono"
            value={to}
            aria-invalid={b === undefined}
            onInput={({ currentTarget }) => setTo(currentTarget.value)}
          />
        </label>
        <div class="menu-foot">
          <span class="muted">{isValid ? printZone(a, zone.value) : 'such as 2026-11-23 06:25:04'}</span>
          <button class="button primary" disabled={!isValid}>
            Apply
          </button>
        </div>
      </form>
    </div>
  )
}
