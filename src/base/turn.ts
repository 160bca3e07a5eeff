/**
 * Splits long work on the event loop into short turns. After `turnMs`, the work waits until everything else that is
 * ready has been served.
 *
 *   const turn = new Turn()
 *   for (const piece of pieces) {
 *     if (turn.isOver) await turn.next()
 *     work(piece)
 *   }
 */

/**
 * A tenth of what a client notices. A piece of work between two checks of the clock should also take less than that.
 */
const turnMs = 10

export class Turn {
  #startedMs = performance.now()

  /** Whether the work has held the loop long enough. */
  get isOver(): boolean {
    return performance.now() - this.#startedMs > turnMs
  }

  /** Resolves in a later turn of the event loop, after sockets and files were served. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve))
    this.#startedMs = performance.now()
  }
}
