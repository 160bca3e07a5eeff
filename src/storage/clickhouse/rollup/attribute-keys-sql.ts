/**
 * Which attribute keys are in use and on how many rows. Rows that have the same keys are counted first (there are few
 * different sets of keys), then the sets are taken apart.
 */
import { dedicatedAttributes } from '../../dedicated.ts'
import { bucketSql, inIntervals, type Interval } from './intervals.ts'

const maps = [
  ['attributes_string', 'string'],
  ['attributes_number', 'number'],
  ['attributes_other', 'other'],
] as const

/** SQL conditions for the rows of each table. */
type Conditions = Readonly<Record<'spans' | 'events', string>>

/** `only` are further conditions on the rows. */
export function attributeKeysSql(intervals: readonly Interval[], only?: Conditions): string {
  const where = {
    spans: `${inIntervals('start_time', intervals)} AND ${only?.spans ?? '1'}`,
    events: `${inIntervals('time', intervals)} AND ${only?.events ?? '1'}`,
  }
  return [
    mapKeysSql('spans', where),
    dedicatedKeysSql(where),
    mapKeysSql('events', where),
    resourceKeysSql(where),
  ].join('\nUNION ALL\n')
}

/** The keys alone are read as `map.keys`; `mapKeys(map)` would read the values too. */
function mapKeysSql(table: 'spans' | 'events', where: Conditions): string {
  const [time, scope] = table === 'spans' ? ['start_time', 'span'] : ['time', 'event']
  const keys = maps.map(([map]) => `${map}.keys`)
  const typed = maps.map(([, type], i) => `arrayMap(k -> (toString(k), '${type}'), arrayDistinct(keys${i}))`)
  return `SELECT bucket, '${scope}' AS scope, item.1 AS key, item.2 AS type, sum(c) AS rows
    FROM (
      SELECT bucket, c, arrayJoin(arrayConcat(${typed.join(', ')})) AS item
      FROM (SELECT ${bucketSql(time)} AS bucket, ${keys.map((key, i) => `any(${key}) AS keys${i}`).join(', ')}, count() AS c
        FROM ${table} WHERE ${where[table]} GROUP BY bucket, cityHash64(${keys.join(', ')})))
    GROUP BY bucket, key, type`
}

function dedicatedKeysSql(where: Conditions): string {
  const counts = dedicatedAttributes.map(
    ({ key, column, type }) =>
      `('${key}', '${type === 'port' ? 'number' : 'string'}', countIf(${column} != ${type === 'port' ? '0' : "''"}))`,
  )
  return `SELECT bucket, 'span' AS scope, item.1 AS key, item.2 AS type, item.3 AS rows
    FROM (SELECT ${bucketSql('start_time')} AS bucket, arrayJoin([${counts.join(', ')}]) AS item
      FROM spans WHERE ${where.spans} GROUP BY bucket) WHERE rows > 0`
}

/** The type is told by how the value's JSON begins (model/attributes.ts, "Typed JSON"). */
function resourceKeysSql(where: Conditions): string {
  const perResource = (table: 'spans' | 'events', time: string): string =>
    `SELECT ${bucketSql(time)} AS bucket, any(resource) AS origin, count() AS c FROM ${table}
     WHERE ${where[table]} GROUP BY bucket, cityHash64(resource)`
  return `SELECT bucket, 'resource' AS scope, item.1 AS key,
      multiIf(startsWith(item.2, '"'), 'string', match(item.2, '^[-0-9]'), 'number', 'other') AS type, sum(c) AS rows
    FROM (SELECT bucket, c, arrayJoin(JSONExtractKeysAndValuesRaw(toString(origin), 'attributes')) AS item
      FROM (${perResource('spans', 'start_time')} UNION ALL ${perResource('events', 'time')}))
    GROUP BY bucket, key, type`
}
