/**
 * The only place that defines colours: CSS variables and canvases both use them. In each theme, text has a contrast of
 * 4.5:1 or better on every surface, and the twelve service colours differ for people with common colour-vision
 * deficiencies.
 */
import { slotCount, slotsOf } from '../../../src/base/name-slots.ts'

export type Theme = 'dark' | 'light'

export interface Palette {
  readonly bg: string
  readonly panel: string
  readonly hover: string
  readonly selected: string
  readonly text: string
  readonly muted: string
  readonly accent: string
  readonly error: string
  readonly warning: string
  readonly ok: string
  readonly edge: string
  readonly divider: string
  /** Service slots 1-12. */
  readonly slots: readonly string[]
  /** Text drawn on the bar of each slot. */
  readonly onSlot: readonly string[]
}

const slotList = (text: string): readonly string[] => text.split(' ').map((hex) => '#' + hex)

const darkInk = '#0B0E12'
/** White text would be too faint on slots 1, 4, 6 and 10 of the light theme. */
const lightSlotsWithDarkInk = new Set([0, 3, 5, 9])

export const palettes: Record<Theme, Palette> = {
  dark: {
    bg: '#0F1318',
    panel: '#161B22',
    hover: '#1B222B',
    selected: '#1D3553',
    text: '#E8ECF1',
    muted: '#A6B0BC',
    accent: '#7CB7FF',
    error: '#FF7B72',
    warning: '#F5B83D',
    ok: '#5CC98B',
    edge: '#7C8794',
    divider: '#2B3440',
    slots: slotList('FFAB71 F3D84E 83A710 35912A 37F9C4 6DCDC8 B8DBFB 7096FF 906AD6 BBABFF B8619B BF8BAF'),
    onSlot: Array.from({ length: slotCount }, () => darkInk),
  },
  light: {
    bg: '#FFFFFF',
    panel: '#F6F8FA',
    hover: '#EEF1F5',
    selected: '#EAF2FD',
    text: '#17202A',
    muted: '#53606E',
    accent: '#0B5FC4',
    error: '#C62828',
    warning: '#855500',
    ok: '#17713F',
    edge: '#75808C',
    divider: '#D5DBE2',
    slots: slotList('CF720B 483502 5F6A45 7C906D 035F5B 00999F 063A63 365FD2 5F27A3 B669DF 984693 6A003F'),
    onSlot: Array.from({ length: slotCount }, (_, slot) => (lightSlotsWithDarkInk.has(slot) ? darkInk : '#FFFFFF')),
  },
}

export interface ServiceColour {
  /** 0-11. */
  readonly slot: number
  /** Drawn with stripes, because another service of the trace has the same slot. */
  readonly striped: boolean
}

/** Colours of the services of a trace, which are given in order of first appearance. */
export function assignColours(services: readonly string[]): ServiceColour[] {
  const taken = new Set<number>()
  return slotsOf(services).map((slot) => {
    const striped = taken.has(slot)
    taken.add(slot)
    return { slot, striped }
  })
}
