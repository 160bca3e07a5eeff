/**
 * `SpanFilter` -> SQL conditions with bound parameters. A dedicated attribute is looked up in its column alone, unless
 * some sender was seen to give it a value the column cannot hold; a resource is asked only for keys that resources
 * have: each further OR would keep the engine from skipping granules. The same meaning in loops: fresh/span-match.ts.
 */
import type { AttributeCondition, SpanFilter } from '../../../model/span-filter.ts'
import { dedicatedByKey } from '../../dedicated.ts'
import type { QueryParameter } from '../engine.ts'

/** What is known of the keys in the store (known-keys.ts). */
export interface KeyFacts {
  /** Dedicated keys with values in the maps. */
  readonly irregular: ReadonlySet<string>
  readonly resource: Pick<ReadonlySet<string>, 'has'>
}

export class Conditions {
  readonly sql: string[] = []
  readonly parameters: Record<string, QueryParameter> = {}
  #count = 0

  /** Adds a value and returns its placeholder. */
  bind(value: QueryParameter, type: string): string {
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

export function spanConditions(filter: SpanFilter, facts: KeyFacts): Conditions {
  const conditions = new Conditions()
  const text = (value: string): string => conditions.bind(value, 'String')
  addTimeRange(conditions, 'start_time', filter)
  if (filter.service !== undefined) conditions.add(`service_name = ${text(filter.service)}`)
  if (filter.operation !== undefined) conditions.add(`name = ${text(filter.operation)}`)
  if (filter.status !== undefined) conditions.add(`status_code = ${conditions.bind(filter.status, 'UInt8')}`)
  if (filter.durationMinNs !== undefined) {
    conditions.add(`duration >= ${conditions.bind(filter.durationMinNs, 'Int64')}`)
  }
  if (filter.durationMaxNs !== undefined) {
    conditions.add(`duration <= ${conditions.bind(filter.durationMaxNs, 'Int64')}`)
  }
  for (const condition of filter.attributes) conditions.add(attributeSql(condition, conditions, facts))
  return conditions
}

export function addTimeRange(
  conditions: Conditions,
  column: string,
  range: { readonly startNs?: bigint; readonly endNs?: bigint },
): void {
  if (range.startNs !== undefined) conditions.add(`${column} >= ${conditions.bind(range.startNs, 'DateTime64(9)')}`)
  if (range.endNs !== undefined) conditions.add(`${column} < ${conditions.bind(range.endNs, 'DateTime64(9)')}`)
}

function attributeSql(condition: AttributeCondition, conditions: Conditions, facts: KeyFacts): string {
  const { scope, key, value } = condition
  const either: string[] = []
  if (scope !== 'resource') either.push(...spanAttributeSql(key, value, conditions, facts))
  if (scope === 'resource' || (scope === 'any' && facts.resource.has(key))) {
    either.push(originSql('resource', key, value, conditions))
  }
  return either.length === 1 ? either[0]! : `(${either.join(' OR ')})`
}

function spanAttributeSql(key: string, value: string, conditions: Conditions, facts: KeyFacts): string[] {
  const dedicated = dedicatedByKey.get(key)
  if (dedicated === undefined) return mapSql(key, value, conditions)
  const either: string[] = []
  if (dedicated.type === 'port') {
    const number = Number(value)
    const fits = /^\d{1,5}$/.test(value) && number > 0 && number <= 0xffff
    either.push(fits ? `${dedicated.column} = ${conditions.bind(number, 'UInt16')}` : '0')
  } else if (value !== '') either.push(`${dedicated.column} = ${conditions.bind(value, 'String')}`)
  if (facts.irregular.has(key) || either.length === 0) either.push(...mapSql(key, value, conditions))
  return either
}

/** The maps that could hold the value the text spells. */
export function mapSql(key: string, value: string, conditions: Conditions): string[] {
  const name = conditions.bind(key, 'String')
  const text = conditions.bind(value, 'String')
  const either = [
    value === ''
      ? `(mapContains(attributes_string, ${name}) AND attributes_string[${name}] = '')`
      : `attributes_string[${name}] = ${text}`,
  ]
  if (value === 'true' || value === 'false') either.push(`attributes_other[${name}] = ${text}`)
  const number = Number(value)
  if (/^[-+]?[\d.]/.test(value) && Number.isFinite(number)) {
    const held = conditions.bind(number, 'Float64')
    either.push(`(mapContains(attributes_number, ${name}) AND attributes_number[${name}] = ${held})`)
    either.push(`attributes_other[${name}] IN (${text}, ${conditions.bind(`${value}.0`, 'String')})`)
  } else if (/^(NaN|-?Infinity|[[{])/.test(value)) {
    either.push(`attributes_other[${name}] = ${text}`)
    either.push(`JSONExtractString(attributes_other[${name}], 'doubleValue') = ${text}`)
  }
  return either
}

/** A key of the resource: the engine evaluates this on the column's dictionary, once for each distinct resource. */
export function originSql(column: string, key: string, value: string, conditions: Conditions): string {
  const name = conditions.bind(key, 'String')
  // The text of a key that is not there is empty, too.
  if (value === '') return `JSONExtractRaw(${column}, 'attributes', ${name}) = '""'`
  const text = conditions.bind(value, 'String')
  return (
    `(JSONExtractString(${column}, 'attributes', ${name}) = ${text}` +
    ` OR JSONExtractRaw(${column}, 'attributes', ${name}) = ${text})`
  )
}
