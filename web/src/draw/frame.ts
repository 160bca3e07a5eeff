/**
 * The only owner of the animation frame: all drawing code asks here, and all draws once, together. Idle means no frame.
 */

const waiting = new Set<() => void>()
let isScheduled = false

/** Runs `draw` in the next frame; asking twice before that frame draws only once. */
export function requestDraw(draw: () => void): void {
  waiting.add(draw)
  if (isScheduled) return
  isScheduled = true
  requestAnimationFrame(() => {
    isScheduled = false
    const drawing = [...waiting]
    waiting.clear()
    for (const task of drawing) task()
  })
}

export function forgetDraw(draw: () => void): void {
  waiting.delete(draw)
}
