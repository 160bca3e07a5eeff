/** The stages that are open, so that they can be closed in reverse order. */

interface Closable {
  close(): Promise<void>
}

export class OpenStages {
  readonly #stops: (() => Promise<void> | void)[] = []

  /** Closes the stage on `close`, before all that were added earlier. */
  add<Stage extends Closable>(stage: Stage): Stage {
    this.#stops.push(() => stage.close())
    return stage
  }

  /** Calls `stop` on `close`, before all that were added earlier are closed. */
  onClose(stop: () => Promise<void> | void): void {
    this.#stops.push(stop)
  }

  /** Rejects with the first failure, after all were asked to close. */
  async close(): Promise<void> {
    // A stage that cannot be closed must not keep the others open, the lock among them.
    const failures: unknown[] = []
    for (const stop of this.#stops.splice(0).reverse()) {
      await Promise.resolve()
        .then(stop)
        .catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }
}
