/**
 * Logs that Fluent Bit received as OTLP and passes on as Forward keep their OTLP fields next to the record:
 *   group record   = { "resource": { "attributes": map, "dropped_attributes_count": int },
 *                      "scope": { "name": text, "version": text, "attributes": map }, … }
 *   entry metadata = { "otlp": { "observed_timestamp": int, "severity_number": int, "severity_text": text,
 *                                "attributes": map, "trace_id": bin | hex, "span_id": bin | hex, "trace_flags": int,
 *                                "event_name": text }, … }
 * Any other metadata of an entry is treated like keys of its record.
 */
import type { Attribute, AttributeValue } from '../../model/attributes.ts'
import { parseSpanId, parseTraceId } from '../../model/ids.ts'
import { setWords } from '../../model/words.ts'
import { makeResource, makeScope, type Resource, type Scope } from '../../model/resource.ts'
import { writeHex } from '../context/row-context.ts'
import type { RecordRow } from '../record/record-row.ts'

export interface GroupOrigin {
  readonly resource: Resource
  readonly scope: Scope
}

/** `undefined` when the group names no resource: then its entries are ordinary ones. */
export function readGroup(value: AttributeValue): GroupOrigin | undefined {
  const resource = mapAt(value, 'resource')
  if (resource === undefined) return undefined
  const scope = mapAt(value, 'scope')
  const scopeAttributes = entriesOf(mapAt(scope, 'attributes'))
  return {
    resource: makeResource(
      entriesOf(mapAt(resource, 'attributes')),
      intAt(resource, 'dropped_attributes_count'),
      textAt(value, 'schema_url'),
    ),
    scope: makeScope(textAt(scope, 'name'), textAt(scope, 'version'), scopeAttributes),
  }
}

export function applyMetadata(record: RecordRow, metadata: readonly Attribute[]): void {
  for (const { key, value } of metadata) {
    if (key === 'otlp' && value.type === 'map') applyOtlp(record, value)
    else record.putValue(key, value)
  }
}

function applyOtlp(record: RecordRow, otlp: AttributeValue): void {
  const { builder, row } = record
  for (const { key, value } of entriesOf(mapAt(otlp, 'attributes'))) record.putAttribute(key, value)
  const severity = intAt(otlp, 'severity_number')
  const severityText = textAt(otlp, 'severity_text')
  if ((severity >= 1 && severity <= 24) || severityText !== '') {
    record.setSeverity(severity >= 1 && severity <= 24 ? severity : 0, severityText)
  }
  const observed = find(otlp, 'observed_timestamp')
  if (observed?.type === 'int' && observed.value > 0n) setWords(builder.observedWords, row, observed.value)
  builder.flags[row] = intAt(otlp, 'trace_flags') & 0xff
  const type = textAt(otlp, 'event_name')
  if (type !== '') record.setType(type)
  const traceId = parseTraceId(hexAt(otlp, 'trace_id'))
  const spanId = parseSpanId(hexAt(otlp, 'span_id'))
  if (traceId !== undefined) writeHex(traceId, builder.traceIds, row * 16)
  if (spanId !== undefined) writeHex(spanId, builder.spanIds, row * 8)
}

function entriesOf(value: AttributeValue | undefined): readonly Attribute[] {
  return value?.type === 'map' ? value.value : []
}

function find(value: AttributeValue | undefined, key: string): AttributeValue | undefined {
  return entriesOf(value).find((entry) => entry.key === key)?.value
}

function mapAt(value: AttributeValue | undefined, key: string): AttributeValue | undefined {
  const found = find(value, key)
  return found?.type === 'map' ? found : undefined
}

function textAt(value: AttributeValue | undefined, key: string): string {
  const found = find(value, key)
  return found?.type === 'string' ? found.value : ''
}

function intAt(value: AttributeValue | undefined, key: string): number {
  const found = find(value, key)
  return found?.type === 'int' ? Number(BigInt.asUintN(31, found.value)) : 0
}

function hexAt(value: AttributeValue | undefined, key: string): string {
  const found = find(value, key)
  if (found?.type === 'bytes') return Buffer.from(found.value).toString('hex')
  return found?.type === 'string' ? found.value : ''
}
