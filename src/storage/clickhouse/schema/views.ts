/**
 * The views of schema version 3: our tables in the columns of the OpenTelemetry ClickHouse exporter, so that tools made
 * for `otel_traces` and `otel_logs` (Grafana's ClickHouse plugin) read clew unmodified. Column names and types: the
 * exporter's traces_table.sql and logs_table.sql of 2026.
 */
import { dedicatedAttributes } from '../../dedicated.ts'

const kinds = "['Unspecified','Internal','Server','Client','Producer','Consumer']"
const statuses = "['Unset','Ok','Error']"

/** Non-empty dedicated columns as one map. */
const dedicatedMap = `mapFilter((k, v) -> v != '', map(${dedicatedAttributes
  .map(
    ({ key, column, type }) =>
      `'${key}', ${type === 'port' ? `if(${column} = 0, '', toString(${column}))` : `toString(${column})`}`,
  )
  .join(', ')}))`

const plainMap = (column: string): string => `mapApply((k, v) -> (toString(k), toString(v)), ${column})`

const allAttributes = `mapConcat(${plainMap('attributes_string')}, ${plainMap('attributes_number')}, ${plainMap('attributes_other')})`

const originMap = (column: string): string =>
  `mapFromArrays(
    arrayMap(kv -> kv.1, JSONExtractKeysAndValuesRaw(toString(${column}), 'attributes')),
    arrayMap(kv -> if(startsWith(kv.2, '"'), JSONExtractString(kv.2), kv.2), JSONExtractKeysAndValuesRaw(toString(${column}), 'attributes')))`

export const views: readonly string[] = [
  `CREATE OR REPLACE VIEW otel_traces AS SELECT
  start_time AS Timestamp,
  lower(hex(trace_id)) AS TraceId,
  lower(hex(span_id)) AS SpanId,
  if(parent_span_id = toFixedString('', 8), '', lower(hex(parent_span_id))) AS ParentSpanId,
  JSONExtractString(rest, 'traceState') AS TraceState,
  name AS SpanName,
  ${kinds}[kind + 1] AS SpanKind,
  service_name AS ServiceName,
  ${originMap('resource')} AS ResourceAttributes,
  JSONExtractString(toString(scope), 'name') AS ScopeName,
  JSONExtractString(toString(scope), 'version') AS ScopeVersion,
  mapConcat(${dedicatedMap}, ${allAttributes}) AS SpanAttributes,
  toUInt64(greatest(duration, 0)) AS Duration,
  ${statuses}[status_code + 1] AS StatusCode,
  status_message AS StatusMessage,
  arrayMap(e -> fromUnixTimestamp64Nano(toInt64(JSONExtractString(e, 'time'))), JSONExtractArrayRaw(events)) AS \`Events.Timestamp\`,
  arrayMap(e -> JSONExtractString(e, 'name'), JSONExtractArrayRaw(events)) AS \`Events.Name\`,
  arrayMap(e -> mapFromArrays(
    arrayMap(kv -> kv.1, JSONExtractKeysAndValuesRaw(e, 'attributes')),
    arrayMap(kv -> if(startsWith(kv.2, '"'), JSONExtractString(kv.2), kv.2), JSONExtractKeysAndValuesRaw(e, 'attributes'))
  ), JSONExtractArrayRaw(events)) AS \`Events.Attributes\`,
  arrayMap(l -> JSONExtractString(l, 'traceId'), JSONExtractArrayRaw(links)) AS \`Links.TraceId\`,
  arrayMap(l -> JSONExtractString(l, 'spanId'), JSONExtractArrayRaw(links)) AS \`Links.SpanId\`,
  arrayMap(l -> JSONExtractString(l, 'traceState'), JSONExtractArrayRaw(links)) AS \`Links.TraceState\`
FROM spans`,
  `CREATE OR REPLACE VIEW otel_logs AS SELECT
  time AS Timestamp,
  toDateTime(time) AS TimestampTime,
  if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))) AS TraceId,
  if(span_id = toFixedString('', 8), '', lower(hex(span_id))) AS SpanId,
  toUInt8(bitAnd(flags, 255)) AS TraceFlags,
  severity_text AS SeverityText,
  severity_number AS SeverityNumber,
  service_name AS ServiceName,
  body AS Body,
  JSONExtractString(toString(resource), 'schemaUrl') AS ResourceSchemaUrl,
  ${originMap('resource')} AS ResourceAttributes,
  JSONExtractString(toString(scope), 'schemaUrl') AS ScopeSchemaUrl,
  JSONExtractString(toString(scope), 'name') AS ScopeName,
  JSONExtractString(toString(scope), 'version') AS ScopeVersion,
  ${originMap('scope')} AS ScopeAttributes,
  ${allAttributes} AS LogAttributes,
  type AS EventName
FROM events`,
]
