/** Writes a recognised value into its column; a value that the column cannot hold stays an attribute. */
import { valueTypes } from '../../model/attribute-columns.ts'
import type { EventBatchBuilder } from '../../model/event-batch.ts'
import { looseSpanId } from '../context/loose-id.ts'
import { copyHexId, writeHex, writeReference } from '../context/row-context.ts'
import { carrierParsers, parseDatadog, parseLooseReference } from '../context/trace-reference.ts'
import { slots } from './fields.ts'
import { nanosOfInteger, nanosOfNumber, nanosOfText } from './record-time.ts'
import { severityCharsMax, severityOfName, severityOfNumber } from './severity.ts'
import type { SlotValues } from './slot-values.ts'

/** The row whose values are taken. */
export interface TakingRow {
  readonly builder: EventBatchBuilder
  readonly values: SlotValues
  readonly row: number
  /** Severity numbers by dictionary number of their text; -1 is no severity. */
  readonly severities: number[]
  /** Dictionary number of a text that is not in the arena. */
  keyOf(name: string): number
}

/** Nanoseconds since the epoch; 0 when the value is no time. */
export function takeTime(values: SlotValues): bigint {
  const value = values.value(slots.time)
  let nanos: bigint | undefined
  if (value.type === 'int') nanos = nanosOfInteger(value.value)
  else if (value.type === 'double') nanos = nanosOfNumber(value.value)
  else if (value.type === 'string') nanos = nanosOfText(value.value)
  if (nanos === undefined || nanos <= 0n) {
    values.spill(slots.time)
    return 0n
  }
  values.take(slots.time)
  return nanos
}

/** Names of the OTLP ranges of four, for levels that came as a number. */
const rangeNames = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']

export function takeSeverity(record: TakingRow): void {
  const { builder, values, row } = record
  if (values.has(slots.severityNumber)) {
    const value = values.value(slots.severityNumber)
    if (value.type === 'int' && value.value >= 1n && value.value <= 24n) {
      builder.severityNumbers[row] = Number(value.value)
      values.take(slots.severityNumber)
    } else values.spill(slots.severityNumber)
  }
  if (!values.has(slots.severity)) return
  const number = severityNumber(record)
  if (number < 0) return values.spill(slots.severity)
  if (builder.severityNumbers[row] === 0) builder.severityNumbers[row] = number
  const { type, a, b } = values.take(slots.severity)
  builder.severityTexts[row] =
    type === valueTypes.string
      ? builder.dictionary.intern(builder.arena.bytes, a, a + b)
      : record.keyOf(rangeNames[(number - 1) >> 2] ?? '')
}

/** -1 when the value names no severity. */
function severityNumber(record: TakingRow): number {
  const { builder, values, severities } = record
  const { type, a, b } = values.peek(slots.severity)
  if (type !== valueTypes.string) {
    const value = values.value(slots.severity)
    return value.type === 'int' ? (severityOfNumber(Number(value.value)) ?? -1) : -1
  }
  if (b > severityCharsMax) return -1
  const entry = builder.dictionary.intern(builder.arena.bytes, a, a + b)
  return (severities[entry] ??= severityOfName(values.text(slots.severity)) ?? -1)
}

/** Longer values are not trace context, as in OTLP logs (otlp/log-context.ts). */
const carrierBytesMax = 4096

export function takeContext(record: TakingRow): void {
  const { values } = record
  // The trace is taken last: its value may also name the span, and then that span is the right one.
  if (values.has(slots.spanId)) takeId(record, slots.spanId)
  if (values.has(slots.traceId)) takeId(record, slots.traceId)
  if (values.has(slots.datadogTrace) || values.has(slots.datadogSpan)) takeDatadog(record)
  if (values.has(slots.flags)) takeFlags(record)
  if (!values.has(slots.carrier)) return
  if (values.type(slots.carrier) === valueTypes.string && !hasTraceId(record)) {
    const { b } = values.peek(slots.carrier)
    const found = b > carrierBytesMax ? undefined : carrierParsers[values.carrier]?.(values.text(slots.carrier))
    if (found !== undefined) writeReference(record.builder, record.row, found)
  }
  // A carrier contains more than the ids (state, parent), so it is kept.
  values.spill(slots.carrier)
}

function takeId(record: TakingRow, slot: number): void {
  const { builder, values, row } = record
  const { type, a, b } = values.peek(slot)
  const [column, length] = slot === slots.traceId ? ([builder.traceIds, 16] as const) : ([builder.spanIds, 8] as const)
  const target = { at: row * length, length }
  if (type === valueTypes.string && b === length * 2 && copyHexId(builder.arena.bytes, a, column, target)) {
    values.take(slot)
    return
  }
  if (type !== valueTypes.string) return values.spill(slot)
  const text = values.text(slot)
  // Loggers without a current span write "", "0" or zeros: that is no id, and no attribute with value 0 either.
  if (/^0*$/.test(text)) values.take(slot)
  else if (slot === slots.traceId) {
    const found = parseLooseReference(text)
    if (found === undefined) return values.spill(slot)
    writeReference(builder, row, found)
    values.take(slot)
  } else {
    const id = looseSpanId(text)
    if (id === undefined) return values.spill(slot)
    writeHex(id, column, target.at)
    values.take(slot)
  }
}

/** Both ids stay attributes: they are how Datadog names the trace. */
function takeDatadog(record: TakingRow): void {
  const { values } = record
  const text = (slot: number): string => (values.has(slot) ? String(values.value(slot).value) : '')
  const found = hasTraceId(record)
    ? undefined
    : parseDatadog(text(slots.datadogTrace).slice(0, 40), text(slots.datadogSpan).slice(0, 40))
  if (found !== undefined) writeReference(record.builder, record.row, found)
  values.spill(slots.datadogTrace)
  values.spill(slots.datadogSpan)
}

function takeFlags(record: TakingRow): void {
  const { builder, values, row } = record
  const value = values.value(slots.flags)
  let flags = -1
  if (value.type === 'int') flags = Number(value.value)
  else if (value.type === 'bool') flags = value.value ? 1 : 0
  else if (value.type === 'string' && /^[0-9a-f]{1,2}$/i.test(value.value)) flags = Number.parseInt(value.value, 16)
  if (!(flags >= 0 && flags <= 0xff)) return values.spill(slots.flags)
  builder.flags[row] = flags
  values.take(slots.flags)
}

function hasTraceId({ builder, row }: TakingRow): boolean {
  return builder.traceIds.subarray(row * 16, row * 16 + 16).some((byte) => byte !== 0)
}
