/** Values by key up to a number of bytes; those that were asked for longest ago go first. */
export class BoundedCache<Value extends { readonly bytes: number }> {
  readonly #bytesMax: number
  /** Least recently asked for first. */
  readonly #values = new Map<string, Value>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key)
    if (value === undefined) return undefined
    this.#values.delete(key)
    this.#values.set(key, value)
    return value
  }

  /** A value larger than the whole cache is not kept. */
  set(key: string, value: Value): void {
    this.#drop(key)
    this.#values.set(key, value)
    this.#bytes += value.bytes
    for (const oldest of this.#values.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#values.get(key)?.bytes ?? 0
    this.#values.delete(key)
  }
}
