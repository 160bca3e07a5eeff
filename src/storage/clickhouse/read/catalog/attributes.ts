/** Attribute keys in use, and the values of one. */
import type { AttributeKey, AttributeValueCount } from '../../../../model/figures.ts'
import type { TimeRange } from '../../../../model/query.ts'
import type { AttributeValuesSearch } from '../../../../model/reader.ts'
import { dedicatedByKey } from '../../../dedicated.ts'
import { figures } from '../../rollup/figures.ts'
import { Conditions, addTimeRange } from '../../compile/conditions.ts'
import { figureSql, type FigureContext } from '../figure-source.ts'
import { shapes, type FigureRow } from '../figures/figure-row.ts'
import { newestRange } from '../newest-range.ts'
import { compareNames } from './services.ts'

/** Senders that make up keys cannot make the answer endless; these are the most used. */
const keysMax = 10_000

/** Most used first. */
export async function readAttributeKeys(
  context: FigureContext,
  range: TimeRange,
  signal?: AbortSignal,
): Promise<AttributeKey[]> {
  const kept = await context.memory?.read(shapes.attributeKeys, range, signal)
  if (kept !== undefined) return keysOf(kept)
  const rows = await context.engine.query<[string, AttributeKey['scope'], string, string]>(
    `SELECT toString(key) AS k, toString(scope) AS s, toString(type) AS t, sum(rows) AS n
     FROM (${figureSql(figures.attributeKeys, range, context)})
     GROUP BY k, s, t ORDER BY n DESC, k, s, t LIMIT ${keysMax}`,
    { signal },
  )
  return rows.map(([key, scope, type, spans]) => ({ key, scope, type, spans: Number(spans) }))
}

function keysOf(rows: readonly FigureRow[]): AttributeKey[] {
  const keys = rows.map(({ names, counts }) => ({
    key: names[1]!,
    scope: names[0] as AttributeKey['scope'],
    type: names[2]!,
    spans: counts[0]!,
  }))
  keys.sort((a, b) => b.spans - a.spans || compareNames([a.key, a.scope, a.type], [b.key, b.scope, b.type]))
  return keys.slice(0, keysMax)
}

/** Spans looked at: about 0.1 s of work for a key in the maps. */
const spansMax = 500_000

/** Most frequent first, over the newest spans of the range: at least `spansMax` where there are so many. */
export async function readAttributeValues(
  context: FigureContext,
  search: AttributeValuesSearch,
  signal?: AbortSignal,
): Promise<AttributeValueCount[]> {
  const { key, limit } = search
  const range = await newestRange(context.engine, search.range, { spansMin: spansMax, signal })
  const conditions = new Conditions()
  addTimeRange(conditions, 'start_time', range)
  const where = conditions.where()
  const name = conditions.bind(key, 'String')
  const places = placesOf(key, name, context)
  const isOfResource = context.facts?.resource.has(key) ?? true
  const counts = isOfResource
    ? [...places.map((place) => valuesBeside(place, name, where)), resourceValues(name, where)]
    : places.map((place) => ownValues(place, where))
  const rows = await context.engine.query<[string, string]>(
    `SELECT value, sum(n) AS spans FROM (${counts.join(' UNION ALL ')}) GROUP BY value
     ORDER BY spans DESC, value LIMIT {limit:UInt64}`,
    { parameters: { ...conditions.parameters, limit }, signal },
  )
  return rows.map(([value, spans]) => ({ value, spans: Number(spans) }))
}

/** Where a span itself may have the key. */
interface Place {
  readonly value: string
  /** Whether the span has a value there. */
  readonly holds: string
}

function placesOf(key: string, name: string, { facts }: FigureContext): Place[] {
  const maps = ['attributes_string', 'attributes_number', 'attributes_other'].map((map) => ({
    value: `toString(${map}[${name}])`,
    holds: `mapContains(${map}, ${name})`,
  }))
  const dedicated = dedicatedByKey.get(key)
  if (dedicated === undefined) return maps
  const { column, type } = dedicated
  const own = { value: `toString(${column})`, holds: `${column} != ${type === 'port' ? '0' : "''"}` }
  return facts?.irregular.has(key) === false ? [own] : [own, ...maps]
}

function ownValues({ value, holds }: Place, where: string): string {
  return `SELECT ${value} AS value, count() AS n FROM spans
    ${where === '' ? 'WHERE' : `${where} AND`} ${holds} GROUP BY value`
}

/** Of spans whose resource has another value or none: a span counts once for a value. */
function valuesBeside({ value, holds }: Place, name: string, where: string): string {
  return `SELECT value, sum(c) AS n FROM (
      SELECT ${value} AS value, ${resourceJson(name)} AS raw, count() AS c FROM spans
      ${where === '' ? 'WHERE' : `${where} AND`} ${holds} GROUP BY value, resource
    ) WHERE ${plain} != value GROUP BY value`
}

function resourceValues(name: string, where: string): string {
  return `SELECT ${plain} AS value, sum(c) AS n
    FROM (SELECT ${resourceJson(name)} AS raw, count() AS c FROM spans ${where} GROUP BY resource)
    WHERE raw != '' GROUP BY value`
}

function resourceJson(name: string): string {
  return `JSONExtractRaw(toString(resource), 'attributes', ${name})`
}

/** Text is unquoted; other values are shown as their JSON. */
const plain = `if(startsWith(raw, '"'), JSONExtractString(raw), raw)`
