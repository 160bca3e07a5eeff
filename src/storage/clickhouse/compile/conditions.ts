/** SQL conditions with bound parameters, and what is known of the keys they ask for. */
import type { QueryParameter } from '../engine.ts'

/** What is known of the keys in the store (known-keys.ts): it decides where a search has to look. */
export interface KeyFacts {
  /** Dedicated keys with values in the maps. */
  readonly irregular: KeySet
  readonly resource: KeySet
  /** When it is not given, no key is of any of these kinds. */
  readonly kinds?: KeyKinds
}

export type KeySet = Pick<ReadonlySet<string>, 'has'>

/** Each is true of a key that was seen so in any place: on a span, an event, a resource and so on. */
export interface KeyKinds {
  /** Had a value that is an array. */
  readonly arrays: KeySet
  /** Had a value that is a map. */
  readonly maps: KeySet
  /** Had a value that is bytes. */
  readonly bytes: KeySet
  /** Attributes of events of spans. */
  readonly event: KeySet
  readonly link: KeySet
  /** Attributes of instrumentation scopes. */
  readonly instrumentation: KeySet
  /** Keys that a person can write only in a way that may mean something else; see `isOdd` in key-kinds.ts. */
  readonly odd: KeySet
  /** Whether any event has a body that is a map. */
  readonly bodyMaps: boolean
}

export class Conditions {
  readonly sql: string[] = []
  readonly parameters: Record<string, QueryParameter> = {}
  readonly #placeholders = new Map<string, string>()
  #count = 0

  /** Adds a value and returns its placeholder, the same one for the same text. */
  bind(value: QueryParameter, type: string): string {
    if (typeof value !== 'string') return this.#add(value, type)
    const known = this.#placeholders.get(`${type} ${value}`)
    if (known !== undefined) return known
    const placeholder = this.#add(value, type)
    this.#placeholders.set(`${type} ${value}`, placeholder)
    return placeholder
  }

  #add(value: QueryParameter, type: string): string {
    const name = `p${this.#count++}`
    this.parameters[name] = value
    return `{${name}:${type}}`
  }

  add(sql: string): void {
    this.sql.push(sql)
  }

  /** `WHERE …`, or nothing. */
  where(): string {
    return this.sql.length === 0 ? '' : `WHERE ${this.sql.join(' AND ')}`
  }
}

export function addTimeRange(
  conditions: Conditions,
  column: string,
  range: { readonly startNs?: bigint; readonly endNs?: bigint },
): void {
  if (range.startNs !== undefined) conditions.add(`${column} >= ${conditions.bind(range.startNs, 'DateTime64(9)')}`)
  if (range.endNs !== undefined) conditions.add(`${column} < ${conditions.bind(range.endNs, 'DateTime64(9)')}`)
}

/** The alternatives of which one must hold; `0` when there is none. */
export function either(alternatives: readonly string[]): string {
  const possible = alternatives.filter((one) => one !== '0')
  return possible.length === 0 ? '0' : possible.length === 1 ? possible[0]! : `(${possible.join(' OR ')})`
}

/** What must hold together; `1` when there is nothing. */
export function all(conditions: readonly string[]): string {
  if (conditions.includes('0')) return '0'
  const needed = conditions.filter((one) => one !== '1')
  return needed.length === 0 ? '1' : needed.length === 1 ? needed[0]! : `(${needed.join(' AND ')})`
}
