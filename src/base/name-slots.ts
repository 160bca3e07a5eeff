/**
 * Gives each name one of twelve slots, so that a service has the same colour for every viewer: the terminal and the web
 * UI both use this file.
 */
export const slotCount = 12

/** The slot of a single name, from its hash. */
export function slotOf(name: string): number {
  return fnv1a(name) % slotCount
}

/**
 * The slots of different names shown together, in the order in which they are first seen. A name gets the slot of its
 * hash, or the next least-used slot when other names use that one more.
 */
export function slotsOf(names: readonly string[]): number[] {
  const used = new Array<number>(slotCount).fill(0)
  return names.map((name) => {
    const least = Math.min(...used)
    let slot = slotOf(name)
    while (used[slot]! > least) slot = (slot + 1) % slotCount
    used[slot]!++
    return slot
  })
}

/** 32-bit FNV-1a over the UTF-8 bytes (draft-eastlake-fnv §2). */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
