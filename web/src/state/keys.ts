/**
 * Keyboard shortcuts, in one table per page. The help (`?`) prints that same table. Shortcuts are off while typing, and
 * off completely if a person switches them off. Two-key sequences start with `g`.
 */
import { signal } from '@preact/signals'
import { keysEnabled, nextZone } from './settings.ts'
import { go } from './location.ts'
import { explorePath } from './explore.ts'

export interface KeyBinding {
  /** Like `KeyboardEvent.key`, letters in lower case, with `Shift+` or `Ctrl+` before it. */
  readonly keys: readonly string[]
  readonly label: string
  readonly does: string
  readonly act: (event: KeyboardEvent) => void
}

export interface KeyTable {
  readonly title: string
  readonly bindings: readonly KeyBinding[]
}

export const helpOpen = signal(false)
export const rangeOpen = signal(false)
/** In narrow windows the facets are hidden until opened, and then cover the table. */
export const facetsOpen = signal(false)
const sequenceMs = 1000
let pageTable: KeyTable | undefined
let pendingG = -Infinity

/** Puts the cursor into the query or find box of the page. */
function focusQuery(): void {
  document.querySelector<HTMLInputElement>('[data-query]')?.focus()
}

const general: KeyTable = {
  title: 'Everywhere',
  bindings: [
    { keys: ['/'], label: '/', does: 'query or find', act: focusQuery },
    { keys: ['?'], label: '?', does: 'these keys', act: () => (helpOpen.value = !helpOpen.value) },
    { keys: ['t'], label: 't', does: 'time range', act: () => (rangeOpen.value = !rangeOpen.value) },
    { keys: ['u'], label: 'u', does: 'local time or UTC', act: nextZone },
    { keys: ['g e'], label: 'g e', does: 'go to Explore', act: () => go(explorePath, { results: undefined }) },
    { keys: [], label: 'Esc', does: 'close', act: () => {} },
  ],
}

export function keyTables(): readonly KeyTable[] {
  return pageTable ? [pageTable, general] : [general]
}

/** Sets the shortcuts of the shown page; returns a function that removes them. */
export function usePageKeys(table: KeyTable): () => void {
  pageTable = table
  return () => {
    if (pageTable === table) pageTable = undefined
  }
}

function nameOf(event: KeyboardEvent): string {
  const { key } = event
  const letter = key.length === 1 && key.toLowerCase() !== key.toUpperCase()
  const shift = event.shiftKey && (letter || key.length > 1) ? 'Shift+' : ''
  return (event.ctrlKey || event.metaKey ? 'Ctrl+' : '') + shift + (letter ? key.toLowerCase() : key)
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

/** Enter and Space press the focused button; arrows scroll the focused pane. */
function belongsToElement({ key, target }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false
  if (key === 'Enter' || key === ' ') return /^(BUTTON|A|SUMMARY)$/.test(target.tagName)
  return key.startsWith('Arrow') && target.closest('[data-panel]') !== null
}

/** Esc closes an open menu, leaves a text box, or moves the focus from the panel back to the rows. */
function escape(event: KeyboardEvent): void {
  if (helpOpen.value) helpOpen.value = false
  else if (rangeOpen.value) rangeOpen.value = false
  else if (facetsOpen.value) facetsOpen.value = false
  else if (isTyping(event.target)) (event.target as HTMLElement).blur()
  else if (event.target instanceof Element && event.target.closest('[data-panel]'))
    document.querySelector<HTMLElement>('[role=treegrid]')?.focus()
  else return
  event.preventDefault()
}

export function startKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape') return escape(event)
    if (!keysEnabled.value || event.altKey || event.defaultPrevented || isTyping(event.target)) return
    if (belongsToElement(event) || (helpOpen.value && event.key !== '?')) return
    const isSequence = performance.now() - pendingG < sequenceMs
    const name = isSequence ? 'g ' + nameOf(event) : nameOf(event)
    pendingG = -Infinity
    if (name === 'g') {
      pendingG = performance.now()
      return
    }
    const binding = keyTables()
      .flatMap(({ bindings }) => bindings)
      .find(({ keys }) => keys.includes(name))
    if (!binding) return
    event.preventDefault()
    binding.act(event)
  })
}
