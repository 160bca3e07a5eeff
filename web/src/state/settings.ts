/** Settings of a person for all pages, kept in the browser: theme, zone, pane sizes, keys on or off. */
import { computed, effect, signal } from '@preact/signals'
import type { Signal } from '@preact/signals'
import { palettes } from '../model/colour.ts'
import type { Theme } from '../model/colour.ts'
import type { Zone } from '../model/time.ts'

type ThemeChoice = Theme | 'auto'

function stored<T extends string | number | boolean>(
  key: string,
  initial: T,
  isValid: (value: unknown) => value is T,
): Signal<T> {
  const name = 'clew.' + key
  let start = initial
  try {
    const value: unknown = JSON.parse(localStorage.getItem(name) ?? 'null')
    if (isValid(value)) start = value
  } catch {
    // Unreadable storage (blocked, or edited by hand) means the default.
  }
  const value = signal(start)
  effect(() => {
    const text = JSON.stringify(value.value)
    try {
      localStorage.setItem(name, text)
    } catch {
      // Without storage the setting lasts until the page is closed.
    }
  })
  return value
}

const oneOf =
  <T extends string>(...values: T[]) =>
  (value: unknown): value is T =>
    values.includes(value as T)
const between =
  (low: number, high: number) =>
  (value: unknown): value is number =>
    typeof value === 'number' && value >= low && value <= high
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'

const themeChoice = stored<ThemeChoice>('theme', 'auto', oneOf<ThemeChoice>('auto', 'dark', 'light'))
export const zone = stored<Zone>('zone', 'local', oneOf<Zone>('local', 'utc'))
export const keysEnabled = stored('keys', true, isBoolean)
export const namesWidth = stored('names-width', 400, between(160, 1200))
export const panelWidth = stored('panel-width', 400, between(240, 1200))
/** Attribute keys that the panel shows first, joined by newlines. */
export const pinnedAttributes = stored('pinned', '', (value): value is string => typeof value === 'string')

const prefersLight = matchMedia('(prefers-color-scheme: light)')
const systemTheme = signal<Theme>(prefersLight.matches ? 'light' : 'dark')

export const theme = computed<Theme>(() => (themeChoice.value === 'auto' ? systemTheme.value : themeChoice.value))
export const palette = computed(() => palettes[theme.value])

/** Puts the palette's colours into CSS variables (`--bg`, `--text`, `--slot-1` …). */
export function startTheme(): void {
  prefersLight.addEventListener('change', () => {
    systemTheme.value = prefersLight.matches ? 'light' : 'dark'
  })
  effect(() => {
    const root = document.documentElement
    root.dataset['theme'] = theme.value
    root.style.colorScheme = theme.value
    const { slots, onSlot, ...roles } = palette.value
    for (const [role, colour] of Object.entries(roles)) root.style.setProperty('--' + role, colour)
    slots.forEach((colour, slot) => {
      root.style.setProperty(`--slot-${slot + 1}`, colour)
      root.style.setProperty(`--on-slot-${slot + 1}`, onSlot[slot]!)
    })
  })
}

export function nextTheme(): void {
  themeChoice.value =
    themeChoice.value === 'auto'
      ? theme.value === 'dark'
        ? 'light'
        : 'dark'
      : themeChoice.value === 'dark'
        ? 'light'
        : 'dark'
}

export function nextZone(): void {
  zone.value = zone.value === 'local' ? 'utc' : 'local'
}
