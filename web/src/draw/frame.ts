/** The one owner of the animation frame: whoever must draw asks here, and all draw together, once. Idle means no frame. */

const waiting = new Set<() => void>()
let isScheduled = false

/** Runs `draw` in the next frame; asking twice before it draws once. */
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
