/** Numbers that look random and are the same for the same seed (mulberry32). */
export type Random = () => number

export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number from 0 to `below - 1`. */
export const whole = (random: Random, below: number): number => Math.floor(random() * below)

/** One of `items`, each with a chance in proportion to its weight. */
export function weighted<Item extends { readonly weight: number }>(random: Random, items: readonly Item[]): Item {
  let rest = random() * items.reduce((sum, item) => sum + item.weight, 0)
  for (const item of items) {
    rest -= item.weight
    if (rest < 0) return item
  }
  return items.at(-1)!
}
