/**
 * Values to filter by, over the spans that match: service, operation, status, the dedicated attributes and the keys
 * that most spans have in the maps. Two passes, one over the columns (GROUPING SETS) and one over the maps, each over at
 * most `facetSpansMax` spans; and where an index cannot help, only the newest stored spans are searched for matches. So
 * the cost does not grow with the store.
 */
import { facetKeyOf, facetSpansMax, type Facet, type Facets, type FacetsSearch } from '../../../model/facets.ts'
import type { SpanQuery } from '../../../model/query.ts'
import type { ReadOptions } from '../../../model/reader.ts'
import { dedicatedAttributes, dedicatedByKey } from '../../dedicated.ts'
import type { QueryOptions } from '../engine.ts'
import { noFacts, type FigureContext } from './figure-source.ts'
import { compileSpanQuery } from '../compile/predicate.ts'
import { estimateRows, newestRange } from './newest-range.ts'

type SignalledSearch = FacetsSearch & ReadOptions

/** Stored spans among which matches are looked for, at least: some 100 ms of work. */
const searchedSpansMin = 200_000
/** Keys of the maps that become facets: those that most of the spans have. */
const mapKeysMax = 8

/** Text of each, '' for a span without a value. */
const columns: readonly { readonly key: string; readonly sql: string }[] = [
  { key: 'service', sql: 'service_name' },
  { key: 'operation', sql: 'name' },
  { key: 'status', sql: "['unset', 'ok', 'error'][status_code + 1]" },
  ...dedicatedAttributes.map(({ key, column, type }) => ({
    key,
    sql: type === 'port' ? `if(${column} = 0, '', toString(${column}))` : column,
  })),
]

type ColumnRow = readonly [set: string, value: string, spans: string, errors: string, distinct: string]
type MapRow = readonly [key: string, value: string, spans: string, errors: string, distinct: string]

/** Facets without a value are left out. */
export async function readFacets(context: FigureContext, search: SignalledSearch): Promise<Facets> {
  const query = await affordable(context, search)
  const conditions = compileSpanQuery(query, context.facts ?? noFacts)
  const limit = conditions.bind(search.limit, 'UInt64')
  const options: QueryOptions = {
    parameters: conditions.parameters,
    signal: search.signal,
  }
  const [columnRows, mapRows] = await Promise.all([
    context.engine.query<ColumnRow>(columnsSql(conditions.where(), limit), options),
    context.engine.query<MapRow>(mapsSql(conditions.where(), limit), options),
  ])
  const total = columnRows.find(([set]) => set === wholeSet)
  const byColumn = columns.map(({ key }, i) => {
    const set = String(BigInt(wholeSet) - (1n << BigInt(columns.length - 1 - i)))
    return facetOf(
      key,
      columnRows.filter(([given]) => given === set),
    )
  })
  const mapKeys = [...new Set(mapRows.map(([key]) => key))]
  const byMap = mapKeys.map((key) =>
    facetOf(
      key,
      mapRows.filter(([given]) => given === key),
    ),
  )
  return {
    facets: [
      ...byColumn,
      ...byMap.filter(({ key }) => !dedicatedByKey.has(key)).map((facet) => ({ ...facet, key: facetKeyOf(facet.key) })),
    ].filter(({ values }) => values.length > 0),
    spans: Number(total?.[2] ?? 0),
    sinceNs: query.startNs === search.query.startNs ? undefined : query.startNs,
  }
}

async function affordable({ engine, facts }: FigureContext, { query, signal }: SignalledSearch): Promise<SpanQuery> {
  const rows = await estimateRows(engine, compileSpanQuery(query, facts ?? noFacts), signal)
  if (rows <= searchedSpansMin) return query
  return { ...query, ...(await newestRange(engine, query, { spansMin: searchedSpansMin, signal })) }
}

/** `grouping` has a bit for each column, the first highest, set when the column is not grouped by; all: the total. */
const wholeSet = String((1n << BigInt(columns.length)) - 1n)

function columnsSql(where: string, limit: string): string {
  const names = columns.map((_, i) => `c${i}`)
  const value = names.map((name) => `grouping(${name}) = 0, toString(${name})`).join(', ')
  return `SELECT facet, value, n, errors, count() OVER (PARTITION BY facet) AS different FROM (
      SELECT grouping(${names.join(', ')}) AS facet, multiIf(${value}, '(all)') AS value,
        count() AS n, countIf(status_code = 2) AS errors
      FROM (SELECT ${columns.map(({ sql }, i) => `${sql} AS c${i}`).join(', ')}, status_code
        FROM spans ${where} LIMIT ${facetSpansMax})
      GROUP BY GROUPING SETS (${names.map((name) => `(${name})`).join(', ')}, ())
    ) WHERE value != '' ORDER BY facet, n DESC, value LIMIT ${limit} BY facet`
}

function mapsSql(where: string, limit: string): string {
  const entries = `arrayConcat(
    arrayZip(mapKeys(attributes_string), mapValues(attributes_string)),
    arrayMap((k, v) -> (k, toString(v)), mapKeys(attributes_number), mapValues(attributes_number)),
    arrayZip(mapKeys(attributes_other), mapValues(attributes_other)))`
  return `SELECT key, value, n, errors, different FROM (
      SELECT key, value, n, errors, different, dense_rank() OVER (ORDER BY spans DESC, key) AS place FROM (
        SELECT key, value, n, errors, count() OVER (PARTITION BY key) AS different, sum(n) OVER (PARTITION BY key) AS spans
        FROM (
          SELECT toString(entry.1) AS key, entry.2 AS value, count() AS n, countIf(status_code = 2) AS errors
          FROM (SELECT attributes_string, attributes_number, attributes_other, status_code
            FROM spans ${where} LIMIT ${facetSpansMax})
          ARRAY JOIN ${entries} AS entry GROUP BY key, value)
      )
    ) WHERE place <= ${mapKeysMax} ORDER BY place, n DESC, value LIMIT ${limit} BY key`
}

function facetOf(key: string, rows: readonly (ColumnRow | MapRow)[]): Facet {
  return {
    key,
    values: rows.map(([, value, spans, errors]) => ({ value, spans: Number(spans), errors: Number(errors) })),
    distinct: Number(rows[0]?.[4] ?? 0),
  }
}
