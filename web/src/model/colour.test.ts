import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assignColours, palettes } from './colour.ts'

test('twelve services have twelve colours, and the thirteenth is striped', () => {
  const services = Array.from({ length: 13 }, (_, i) => `service-${i}`)
  const colours = assignColours(services)
  assert.equal(new Set(colours.slice(0, 12).map(({ slot }) => slot)).size, 12)
  assert.deepEqual(
    colours.map(({ striped }) => striped),
    [...Array(12).fill(false), true],
  )
})

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}
function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (high! + 0.05) / (low! + 0.05)
}

test('text is readable and bars are visible on every surface', () => {
  for (const palette of Object.values(palettes)) {
    for (const surface of [palette.bg, palette.panel, palette.hover, palette.selected]) {
      for (const text of [palette.text, palette.muted, palette.accent, palette.error, palette.warning, palette.ok]) {
        assert.ok(contrast(text, surface) >= 4.5, `${text} on ${surface}`)
      }
      for (const bar of palette.slots) assert.ok(contrast(bar, surface) >= 3, `${bar} on ${surface}`)
    }
    palette.slots.forEach((slot, i) => assert.ok(contrast(palette.onSlot[i]!, slot) >= 4.5, `text on ${slot}`))
  }
})
