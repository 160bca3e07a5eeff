/**
 * Where attributes are in the store, each place as SQL of an array of raw values (raw-value.ts): the general way to look
 * at them. What is asked most has a quicker way, in own-equality.ts and origin-equality.ts.
 */
import type { Place } from '../../../model/evaluate/evaluate.ts'
import { dedicatedByKey } from '../../dedicated.ts'
import type { Conditions, KeyFacts } from './conditions.ts'
import type { CompiledTable } from './table.ts'

export interface PlaceContext {
  readonly table: CompiledTable
  readonly facts: KeyFacts
  readonly conditions: Conditions
}

/** Whether anything in the place may have the key; for a path inside a map, the map's key. */
export function mayHave(place: Place, key: string, { table, facts: { resource, kinds } }: PlaceContext): boolean {
  switch (place) {
    case 'resource':
      return resource.has(key)
    case 'instrumentation':
      return kinds?.instrumentation.has(key) ?? false
    case 'link':
      return table.own === 'span' && (kinds?.link.has(key) ?? false)
    case table.own:
      return true
    case 'event':
      return kinds?.event.has(key) ?? false
    default:
      return false
  }
}

/** SQL of an array of the values under a key; those that are missing may be in it as ''. */
export function rawValues(place: Place, key: string, context: PlaceContext): string {
  if (place === context.table.own) return ownValues(key, context)
  const name = context.conditions.bind(key, 'String')
  switch (place) {
    case 'resource':
      return `[CAST(JSONExtractRaw(resource, 'attributes', ${name}) AS String)]`
    case 'instrumentation':
      return `[CAST(JSONExtractRaw(scope, 'attributes', ${name}) AS String)]`
    default: {
      const column = place === 'event' ? 'events' : 'links'
      // Most spans have no such event, and looking for the text is quick.
      const mentioned = `position(${column}, ${context.conditions.bind(JSON.stringify(key), 'String')}) > 0`
      const values = `arrayMap(item -> JSONExtractRaw(item, 'attributes', ${name}), JSONExtractArrayRaw(${column}))`
      return `if(${mentioned}, ${values}, [])`
    }
  }
}

function ownValues(key: string, { table, facts, conditions }: PlaceContext): string {
  const dedicated = table.own === 'span' ? dedicatedByKey.get(key) : undefined
  const parts: string[] = []
  if (dedicated !== undefined) {
    const { column, type } = dedicated
    parts.push(
      type === 'port'
        ? `if(${column} = 0, [], [toString(${column})])`
        : `if(${column} = '', [], [toJSONString(toString(${column}))])`,
    )
  }
  if (dedicated === undefined || facts.irregular.has(key)) {
    const name = conditions.bind(key, 'String')
    const of = (map: string, value: string): string => `if(mapContains(${map}, ${name}), [${value}], [])`
    parts.push(
      of('attributes_string', `toJSONString(attributes_string[${name}])`),
      of('attributes_number', `toString(attributes_number[${name}])`),
      of('attributes_other', `attributes_other[${name}]`),
    )
  }
  return parts.length === 1 ? parts[0]! : `arrayConcat(${parts.join(', ')})`
}

/** SQL of an array of the values at paths inside maps, whose first key is the attribute's. */
export function nestedValues(place: Place, path: readonly string[], context: PlaceContext): string {
  const [first, ...rest] = path
  const base =
    place === context.table.own
      ? `[attributes_other[${context.conditions.bind(first!, 'String')}]]`
      : rawValues(place, first!, context)
  return rest.reduce((values, key) => inMaps(values, key, context.conditions), base)
}

/** SQL of an array of the value at a path inside the body; '' where the body is no map. */
export function bodyValues(path: readonly string[], conditions: Conditions): string {
  return path.reduce((values, key) => inMaps(values, key, conditions), 'if(body_type = 2, [body], [])')
}

function inMaps(values: string, key: string, conditions: Conditions): string {
  const name = conditions.bind(key, 'String')
  const entry = `arrayFirst(entry -> JSONExtractString(entry, 'key') = ${name}, JSONExtractArrayRaw(map, 'kvlistValue', 'values'))`
  return `arrayMap(map -> JSONExtractRaw(${entry}, 'value'), ${values})`
}
