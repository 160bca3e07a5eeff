/**
 * Who emitted a span or event (`Resource`) and which library recorded it (`Scope`): decoded once for all their rows,
 * then shared by reference, immutable. Their typed JSON is a dictionary column in the store.
 */
import {
  fromTyped,
  parseTyped,
  printTypedAttributes,
  printTypedValue,
  type Attribute,
  type AttributeValue,
} from './attributes.ts'

export interface Resource {
  readonly attributes: readonly Attribute[]
  readonly droppedAttributesCount: number
  readonly schemaUrl: string
  /** `service.name`, or `unknown_service` as the SDK specification asks. */
  readonly serviceName: string
  /** Typed JSON `{"attributes":{…},"dropped":n,"schemaUrl":"…"}`, absent parts left out. */
  readonly json: string
}

export interface Scope {
  readonly name: string
  readonly version: string
  readonly attributes: readonly Attribute[]
  readonly droppedAttributesCount: number
  readonly schemaUrl: string
  /** Typed JSON `{"name":"…","version":"…","attributes":{…},"dropped":n,"schemaUrl":"…"}`, absent parts left out. */
  readonly json: string
}

export function makeResource(attributes: readonly Attribute[], droppedAttributesCount = 0, schemaUrl = ''): Resource {
  const json = joinJson([attributesPart(attributes), ...tailParts(droppedAttributesCount, schemaUrl)])
  return {
    attributes,
    droppedAttributesCount,
    schemaUrl,
    serviceName: serviceNameOf(attributes),
    json,
  }
}

/** `service.name` as text, or `unknown_service`. */
export function serviceNameOf(attributes: readonly Attribute[]): string {
  const name = attributes.find(({ key }) => key === 'service.name')?.value
  const text = name === undefined ? '' : plainText(name)
  return text === '' ? 'unknown_service' : text
}

/** The attributes in a resource's typed JSON, which may be ''. */
export function resourceAttributesOf(json: string): Attribute[] {
  if (json === '') return []
  const { attributes = {} } = parseTyped(json) as { attributes?: Record<string, unknown> }
  return Object.entries(attributes).map(([key, value]) => ({ key, value: fromTyped(value) }))
}

export function makeScope(
  name: string,
  version = '',
  attributes: readonly Attribute[] = [],
  rest: { droppedAttributesCount?: number; schemaUrl?: string } = {},
): Scope {
  const droppedAttributesCount = rest.droppedAttributesCount ?? 0
  const schemaUrl = rest.schemaUrl ?? ''
  const json = joinJson([
    name === '' ? '' : `"name":${JSON.stringify(name)}`,
    version === '' ? '' : `"version":${JSON.stringify(version)}`,
    attributesPart(attributes),
    ...tailParts(droppedAttributesCount, schemaUrl),
  ])
  return { name, version, attributes, droppedAttributesCount, schemaUrl, json }
}

export const emptyScope: Scope = makeScope('')

/** A value as a person would write it: text as it is, everything else as typed JSON. */
export function plainText(value: AttributeValue): string {
  return value.type === 'string' ? value.value : printTypedValue(value)
}

function attributesPart(attributes: readonly Attribute[]): string {
  return attributes.length === 0 ? '' : `"attributes":${printTypedAttributes(attributes)}`
}

function tailParts(dropped: number, schemaUrl: string): string[] {
  return [
    dropped === 0 ? '' : `"dropped":${dropped}`,
    schemaUrl === '' ? '' : `"schemaUrl":${JSON.stringify(schemaUrl)}`,
  ]
}

function joinJson(parts: readonly string[]): string {
  const present = parts.filter((part) => part !== '')
  return present.length === 0 ? '' : `{${present.join(',')}}`
}
