/**
 * Keys that are more than an attribute to a decoder. Each key of a batch is looked up once, when the batch first uses
 * it; after that its role is found by its dictionary number.
 */
import { wider } from '../base/wider.ts'
import type { Dictionary } from '../model/dictionary.ts'
import { byteKey } from './utf8.ts'

/** Role of any other key. */
export const plainKey = 0

export class KeyRoles {
  readonly #names: ReadonlyMap<string, number>
  #roles = new Uint8Array(64)
  #known = 0

  /** ASCII names and their roles, 1 to 255. */
  constructor(names: Readonly<Record<string, number>>) {
    this.#names = new Map(Object.entries(names))
  }

  /** Call this when the dictionary is cleared. */
  reset(): void {
    this.#known = 0
  }

  of(key: number, dictionary: Dictionary, arena: Uint8Array): number {
    if (key >= this.#known) this.#learn(dictionary, arena)
    return this.#roles[key]!
  }

  #learn(dictionary: Dictionary, arena: Uint8Array): void {
    while (this.#roles.length < dictionary.count) this.#roles = wider(this.#roles)
    for (; this.#known < dictionary.count; this.#known++) {
      const start = dictionary.starts[this.#known]!
      const end = start + dictionary.lengths[this.#known]!
      this.#roles[this.#known] = this.#names.get(byteKey(arena, start, end)) ?? plainKey
    }
  }
}
