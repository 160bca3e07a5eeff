/**
 * Sizes in bytes as text: `64MiB`, `1.5GiB`, `500kB`, `4096`. Units with `i` are powers of 1024, the others of 1000.
 * Values are whole bytes as a safe integer.
 */

const bytesPerUnit: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

const sizePattern = /^(\d{1,16}(?:\.\d{1,9})?)\s?([kmgt]?i?b|)$/i

/** Bytes, or `undefined` when the text is not a size. The unit's case does not matter; no unit means bytes. */
export function parseSize(text: string): number | undefined {
  const match = sizePattern.exec(text)
  if (match === null) return undefined
  const perUnit = bytesPerUnit[(match[2] ?? '').toLowerCase()]
  if (perUnit === undefined) return undefined
  const bytes = Math.floor(Number(match[1]) * perUnit)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/**
 * The largest unit that divides the size without remainder, so that `parseSize` reads it back exactly: `64MiB`,
 * `1500B`.
 */
export function printSizeExact(bytes: number): string {
  if (bytes === 0) return '0'
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const perUnit = bytesPerUnit[unit.toLowerCase()]!
    if (bytes % perUnit === 0) return `${bytes / perUnit}${unit}`
  }
  return `${bytes}B`
}

/** For people: three digits and a binary unit, `1.21 GiB`, `63.4 KiB`, `512 B`. */
export function printSize(bytes: number): string {
  let value = bytes
  let unit = 'B'
  for (const next of ['KiB', 'MiB', 'GiB', 'TiB']) {
    if (value < 1023.5) break
    value /= 1024
    unit = next
  }
  return `${unit === 'B' ? value : Number(value.toPrecision(3))} ${unit}`
}
