/**
 * Which keys of an index of span attributes were also seen where the index does not look: on resources, instrumentation
 * scopes, events and links, and inside maps (`user.id` as `id` in the map `user`). Searches for those go to the store.
 */
import { valueTypes } from '../../model/attribute-columns.ts'
import type { Attribute } from '../../model/attributes.ts'
import { pathsOf } from '../../model/query.ts'
import type { Resource, Scope } from '../../model/resource.ts'
import type { SpanBatch } from '../../model/span-batch.ts'

interface Wanted {
  readonly key: string
  /** The key as a JSON string. */
  readonly quoted: string
  /** Attributes that, as maps, hold the key. */
  readonly holders: readonly { readonly name: string; readonly bytes: Buffer; readonly asMap: string }[]
}

export class KeysElsewhere {
  readonly besideSpans = new Set<string>()
  readonly inMaps = new Set<string>()
  readonly #wanted: readonly Wanted[]
  #seen = new WeakSet<Resource | Scope>()

  constructor(keys: readonly string[]) {
    this.#wanted = keys.map((key) => ({
      key,
      quoted: JSON.stringify(key),
      holders: [...new Set(pathsOf(key).map(([first]) => first!))].map((name) => ({
        name,
        bytes: Buffer.from(name),
        asMap: `${JSON.stringify(name)}:{"kvlistValue"`,
      })),
    }))
  }

  lookAt(batch: SpanBatch): void {
    for (const origin of [...batch.resources, ...batch.scopes]) {
      if (this.#seen.has(origin)) continue
      this.#seen.add(origin)
      for (const wanted of this.#wanted) if (hasKey(wanted, origin.attributes)) this.besideSpans.add(wanted.key)
    }
    for (const lists of [batch.events, batch.links]) {
      for (const list of lists.values()) for (const { attributes } of list) this.#lookAtText(attributes)
    }
    for (const wanted of this.#wanted) if (isHeldInMap(wanted, batch)) this.inMaps.add(wanted.key)
  }

  clear(): void {
    this.besideSpans.clear()
    this.inMaps.clear()
    this.#seen = new WeakSet()
  }

  #lookAtText(attributes: string): void {
    if (attributes === '') return
    for (const { key, quoted, holders } of this.#wanted) {
      if (attributes.includes(quoted) || holders.some(({ asMap }) => attributes.includes(asMap))) {
        this.besideSpans.add(key)
      }
    }
  }
}

function hasKey({ key, holders }: Wanted, attributes: readonly Attribute[]): boolean {
  return attributes.some(
    (held) => held.key === key || (held.value.type === 'map' && holders.some((one) => one.name === held.key)),
  )
}

/**
 * Whether a span has an attribute of such a name whose value is neither text nor a number. Few batches have the name.
 */
function isHeldInMap({ holders }: Wanted, { arena, dictionary, attributes }: SpanBatch): boolean {
  const { starts, lengths } = dictionary
  return holders.some(({ bytes }) => {
    for (let entry = 0; entry < starts.length; entry++) {
      if (lengths[entry] !== bytes.length) continue
      if (bytes.compare(arena, starts[entry]!, starts[entry]! + bytes.length) !== 0) continue
      if (attributes.keys.some((key, at) => key === entry && attributes.types[at] === valueTypes.other)) return true
    }
    return false
  })
}
