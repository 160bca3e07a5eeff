/** Small parts that the views of spans and events share. */
import { parseTyped, fromTyped, type Attribute, type AttributeValue } from '../attributes.ts'
import { serviceNameOf } from '../resource.ts'
import type { Held } from './held-value.ts'

/** Attributes and names of a resource or an instrumentation scope. */
export interface Origin {
  readonly attributes: readonly Attribute[]
  readonly serviceName?: string
  readonly name?: string
  readonly version?: string
}

export function valuesUnder(key: string, attributes: readonly Attribute[]): AttributeValue[] {
  return attributes.filter((attribute) => attribute.key === key).map(({ value }) => value)
}

export function text(value: string): Held {
  return { type: 'string', value }
}

export function int(value: bigint): Held {
  return { type: 'int', value }
}

/** Most conditions need neither resource nor scope, and reading them costs more than everything else. */
export function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined
  return () => (made ??= make())
}

/** Reads the typed JSON of a resource or scope (model/resource.ts). */
export function originOf(json: string): Origin {
  const parsed = (json === '' ? {} : parseTyped(json)) as {
    readonly attributes?: Readonly<Record<string, unknown>>
    readonly name?: string
    readonly version?: string
  }
  const attributes = Object.entries(parsed.attributes ?? {}).map(([key, value]) => ({ key, value: fromTyped(value) }))
  return { attributes, name: parsed.name, version: parsed.version, serviceName: serviceNameOf(attributes) }
}
