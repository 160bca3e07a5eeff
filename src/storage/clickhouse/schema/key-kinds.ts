/**
 * Schema version 4: which attribute keys are of which kind (storage/key-kinds.ts). What was stored before is looked through
 * once; the table keeps each pair once, so looking again changes nothing.
 */

const keyKindsTable = `CREATE TABLE IF NOT EXISTS key_kinds (kind LowCardinality(String), key String)
ENGINE = ReplacingMergeTree ORDER BY (kind, key) SETTINGS fsync_after_insert=1`

const isOddSql = "(position(key, '=') > 0 OR match(key, '^(span|resource|event|link|instrumentation)[.]'))"

function insertKinds(kind: string, keys: string): string {
  return `INSERT INTO key_kinds SELECT DISTINCT '${kind}', key FROM (${keys})`
}

/** Attributes of rows whose value is an array or a map, and of resources, scopes, events and links. */
function nested(start: string): string {
  const own = (table: string): string =>
    `SELECT toString(arrayJoin(mapKeys(mapFilter((k, v) -> startsWith(v, '${start}'), attributes_other)))) AS key FROM ${table}`
  const held = [...origins(), list('events'), list('links')].map(
    (
      rows,
    ) => `SELECT pair.1 AS key FROM (SELECT arrayJoin(JSONExtractKeysAndValuesRaw(json, 'attributes')) AS pair FROM (${rows}))
      WHERE startsWith(pair.2, '${start}')`,
  )
  return [own('spans'), own('events'), ...held].join(' UNION ALL ')
}

function origins(): string[] {
  return ['resource', 'scope'].flatMap((column) =>
    ['spans', 'events'].map((table) => `SELECT DISTINCT toString(${column}) AS json FROM ${table}`),
  )
}

function list(column: 'events' | 'links'): string {
  return `SELECT arrayJoin(JSONExtractArrayRaw(${column})) AS json FROM spans WHERE ${column} != ''`
}

function keysOf(rows: string): string {
  return `SELECT arrayJoin(JSONExtractKeys(json, 'attributes')) AS key FROM (${rows})`
}

function everyKey(): string {
  const maps = ['attributes_string', 'attributes_number', 'attributes_other']
  const own = ['spans', 'events'].flatMap((table) =>
    maps.map((map) => `SELECT DISTINCT toString(arrayJoin(mapKeys(${map}))) AS key FROM ${table}`),
  )
  return [...own, ...[...origins(), list('events'), list('links')].map(keysOf)].join(' UNION ALL ')
}

const scopes = ['spans', 'events'].map((table) => `SELECT DISTINCT toString(scope) AS json FROM ${table}`)

export const keyKindsStatements: readonly string[] = [
  keyKindsTable,
  insertKinds('arrays', nested('{"arrayValue"')),
  insertKinds('maps', nested('{"kvlistValue"')),
  insertKinds('bytes', nested('{"bytesValue"')),
  insertKinds('event', keysOf(list('events'))),
  insertKinds('link', keysOf(list('links'))),
  insertKinds('instrumentation', scopes.map(keysOf).join(' UNION ALL ')),
  insertKinds('odd', `SELECT key FROM (${everyKey()}) WHERE ${isOddSql}`),
  "INSERT INTO key_kinds SELECT 'bodyMaps', '' FROM events WHERE body_type = 2 LIMIT 1",
]
