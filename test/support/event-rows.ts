/** Events of a batch as plain objects, for tests to compare; the way back from columns to values. */
import { valueTypes } from '../../src/model/attribute-columns.ts'
import { fromAnyValueJson, type AnyValueJson, type Attribute, type AttributeValue } from '../../src/model/attributes.ts'
import { bodyTypes, type EventBatch } from '../../src/model/event-batch.ts'

export interface EventRow {
  /** Nanoseconds since the epoch; 0 when the record gave none. */
  readonly time: bigint
  readonly body: unknown
  readonly type: string
  readonly severity: string
  readonly traceId: string
  readonly spanId: string
  readonly flags: number
  readonly service: string
  readonly scope: string
  readonly resource: Readonly<Record<string, unknown>>
  readonly attributes: Readonly<Record<string, unknown>>
}

export function eventRows(batch: EventBatch): EventRow[] {
  return Array.from({ length: batch.rows }, (_, row) => eventRow(batch, row))
}

function eventRow(batch: EventBatch, row: number): EventRow {
  const resource = batch.resources[batch.resourceIndexes[row]!]!
  const severityText = entry(batch, batch.severityTexts[row]!)
  const number = batch.severityNumbers[row]!
  return {
    time: batch.timeGiven[row] === 1 ? batch.times[row]! : 0n,
    body: bodyOf(batch, row),
    type: entry(batch, batch.types[row]!),
    severity: number === 0 && severityText === '' ? '' : `${number} ${severityText}`.trim(),
    traceId: idOf(batch.traceIds, row, 16),
    spanId: idOf(batch.spanIds, row, 8),
    flags: batch.flags[row]!,
    service: resource.serviceName,
    scope: batch.scopes[batch.scopeIndexes[row]!]!.name,
    resource: plainObject(resource.attributes),
    attributes: plainObject(attributesOf(batch, row)),
  }
}

function idOf(ids: Uint8Array, row: number, length: number): string {
  const hex = Buffer.from(ids.subarray(row * length, row * length + length)).toString('hex')
  return /^0+$/.test(hex) ? '' : hex
}

function text(batch: EventBatch, start: number, length: number): string {
  return Buffer.from(batch.arena.subarray(start, start + length)).toString('utf8')
}

function entry(batch: EventBatch, number: number): string {
  return text(batch, batch.dictionary.starts[number]!, batch.dictionary.lengths[number]!)
}

function bodyOf(batch: EventBatch, row: number): unknown {
  const type = batch.bodyTypes[row]
  if (type === bodyTypes.empty) return undefined
  const body = text(batch, batch.bodies[row * 2]!, batch.bodies[row * 2 + 1]!)
  return type === bodyTypes.string ? body : plain(fromAnyValueJson(JSON.parse(body) as AnyValueJson))
}

export function attributesOf(batch: EventBatch, row: number): Attribute[] {
  const { ends, keys } = batch.attributes
  const found: Attribute[] = []
  for (let at = row === 0 ? 0 : ends[row - 1]!; at < ends[row]!; at++) {
    found.push({ key: entry(batch, keys[at]!), value: valueAt(batch, at) })
  }
  return found
}

function valueAt(batch: EventBatch, at: number): AttributeValue {
  const { types, a, b } = batch.attributes
  const [low, high] = [a[at]!, b[at]!]
  switch (types[at]) {
    case valueTypes.string:
      return { type: 'string', value: text(batch, low, high) }
    case valueTypes.int:
      return { type: 'int', value: BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)) }
    case valueTypes.double:
      return { type: 'double', value: new Float64Array(Uint32Array.of(low, high).buffer)[0]! }
    case valueTypes.bool:
      return { type: 'bool', value: low !== 0 }
    default:
      return fromAnyValueJson(JSON.parse(batch.texts[low]!) as AnyValueJson)
  }
}

/** Ints are bigints and doubles numbers, so that a test sees which of the two it was. */
export function plain(value: AttributeValue): unknown {
  switch (value.type) {
    case 'array':
      return value.value.map(plain)
    case 'map':
      return plainObject(value.value)
    case 'bytes':
      return Buffer.from(value.value).toString('base64')
    case 'empty':
      return null
    default:
      return value.value
  }
}

function plainObject(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]))
}
