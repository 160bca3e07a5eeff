/** The table of spans as predicates see it. */
import { textColumn, type CompiledTable, type IntrinsicSql } from './table.ts'

export const spansTable: CompiledTable = {
  own: 'span',
  wordSql: () => '0',
  intrinsics: {
    name: textColumn('name'),
    duration: { type: 'number', sql: 'duration' },
    startTime: { type: 'time', sql: 'start_time' },
    status: { type: 'status', sql: 'status_code' },
    statusMessage: textColumn('status_message'),
    kind: { type: 'kind', sql: 'kind' },
    service: textColumn('service_name'),
    traceId: { type: 'id', sql: 'trace_id', bytes: 16 },
    spanId: { type: 'id', sql: 'span_id', bytes: 8 },
    parentId: { type: 'id', sql: 'parent_span_id', bytes: 8, exists: "parent_span_id != toFixedString('', 8)" },
    rootName: { type: 'text', sql: "argMinIf(toString(root_name), start_time, root_service != '')", ofTrace: true },
    rootService: {
      type: 'text',
      sql: "argMinIf(toString(root_service), start_time, root_service != '')",
      ofTrace: true,
    },
    traceDuration: {
      type: 'number',
      sql: 'toUnixTimestamp64Nano(max(end_time)) - toUnixTimestamp64Nano(min(start_time))',
      ofTrace: true,
    },
    eventName: list('text', 'events', "JSONExtractString(item, 'name')"),
    eventTimeSinceStart: list(
      'number',
      'events',
      "toInt64(toUInt64OrZero(JSONExtractString(item, 'time'))) - toUnixTimestamp64Nano(start_time)",
    ),
    linkTraceId: list('text', 'links', "JSONExtractString(item, 'traceId')"),
    linkSpanId: list('text', 'links', "JSONExtractString(item, 'spanId')"),
    instrumentationName: textColumn("JSONExtractString(scope, 'name')"),
    instrumentationVersion: textColumn("JSONExtractString(scope, 'version')"),
  },
}

function list(type: 'text' | 'number', column: string, sql: string): IntrinsicSql {
  return {
    type,
    sql: `arrayMap(item -> ${sql}, JSONExtractArrayRaw(${column}))`,
    isList: true,
    exists: `${column} != ''`,
  }
}
