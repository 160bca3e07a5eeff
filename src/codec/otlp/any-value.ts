/**
 * OTLP common.proto from the wire (opentelemetry-proto 1.11, common/v1/common.proto):
 *   KeyValue = 1 key string · 2 value AnyValue
 *   AnyValue = oneof 1 string · 2 bool · 3 int64 · 4 double · 5 ArrayValue{1 values} · 6 KeyValueList{1 values} · 7 bytes
 * Simple values go straight into columns; arrays, maps and bytes, which are rare, become objects first.
 */
import type { Attribute, AttributeValue } from '../../model/attributes.ts'
import { toAnyValueJson } from '../../model/attributes.ts'
import { valueTypes, type AttributeColumnsBuilder, type TextSink } from '../../model/attribute-columns.ts'
import type { Dictionary } from '../../model/dictionary.ts'
import { intOf } from '../../model/words.ts'
import { appendRepaired, internRepaired, repairText, type RepairTarget } from '../repairs.ts'
import { internUtf8, isUtf8Range, utf8Text } from '../utf8.ts'
import type { WireReader } from './wire.ts'

/** Arrays and maps may nest this deep; a row with deeper ones is rejected. */
export const nestingMax = 32

export interface AttributeTarget extends TextSink, RepairTarget {
  readonly attributes: AttributeColumnsBuilder
  readonly dictionary: Dictionary
}

/** Adds one KeyValue that is in [reader.at, end) to the target's row; returns what is wrong with it, or ''. */
export function decodeAttribute(reader: WireReader, end: number, target: AttributeTarget): string {
  const bytes = reader.bytes
  // Nearly all are only a short key and a short string, in this order; checked with one read per byte.
  const at = reader.at
  const valueAt = at + 2 + bytes[at + 1]!
  const textAt = valueAt + 4
  if (
    bytes[at] === 0x0a &&
    textAt <= end &&
    bytes[valueAt] === 0x12 &&
    bytes[valueAt + 1] === end - valueAt - 2 &&
    bytes[valueAt + 2] === 0x0a &&
    bytes[valueAt + 3] === end - textAt &&
    end - at < 0x80
  ) {
    const key = internUtf8(target.dictionary, bytes, at + 2, valueAt)
    reader.at = end
    if (key < 0 || !isUtf8Range(bytes, textAt, end)) {
      addRepaired(reader, target, key, { keyStart: at + 2, keyEnd: valueAt, start: textAt, end })
    } else target.attributes.add(key, valueTypes.string, textAt, end - textAt)
    return ''
  }
  let key = -1
  let valueStart = -1
  let valueEnd = 0
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x0a) {
      const stop = reader.lengthEnd(end)
      key = internUtf8(target.dictionary, reader.bytes, reader.at, stop)
      if (key < 0) key = internRepaired(keyName, reader, target, { start: reader.at, end: stop })
      reader.at = stop
    } else if (tag === 0x12) {
      valueEnd = reader.lengthEnd(end)
      valueStart = reader.at
      reader.at = valueEnd
    } else reader.skip(tag & 7, end)
  }
  if (key < 0) key = target.dictionary.intern(reader.bytes, end, end)
  if (valueStart < 0) {
    target.attributes.add(key, valueTypes.other, target.texts.push('{}') - 1, 0)
    return ''
  }
  reader.at = valueStart
  const problem = decodeValueInto(reader, valueEnd, key, target)
  reader.at = end
  return problem
}

function decodeValueInto(reader: WireReader, end: number, key: number, target: AttributeTarget): string {
  const start = reader.at
  const columns = target.attributes
  if (start === end) {
    columns.add(key, valueTypes.other, target.texts.push('{}') - 1, 0)
    return ''
  }
  // The usual value is one field that fills the message; anything else takes the slow path.
  const tag = reader.tag(end)
  switch (tag) {
    case 0x0a: {
      const stop = reader.lengthEnd(end)
      if (stop !== end) break
      addText(reader, target, key, { start: reader.at, end: stop })
      return ''
    }
    case 0x10: {
      const low = reader.varint32(end)
      if (reader.at !== end) break
      columns.add(key, valueTypes.bool, low !== 0 || reader.high !== 0 ? 1 : 0, 0)
      return ''
    }
    case 0x18:
      reader.varint32(end)
      if (reader.at !== end) break
      columns.add(key, valueTypes.int, reader.low, reader.high)
      return ''
    case 0x21:
      reader.fixed64(end)
      if (reader.at !== end) break
      columns.add(key, valueTypes.double, reader.low, reader.high)
      return ''
  }
  reader.at = start
  const value = decodeAnyValue(reader, end, 0)
  if (typeof value === 'string') return value
  if (isSimple(value)) columns.addValue(key, value, target)
  else columns.add(key, valueTypes.other, target.texts.push(JSON.stringify(toAnyValueJson(value))) - 1, 0)
  return ''
}

const keyName = 'an attribute key'
const valueName = 'an attribute value'

/** An attribute with invalid UTF-8 in its value, or in its key, which then has no number. */
function addRepaired(
  reader: WireReader,
  target: AttributeTarget,
  key: number,
  { keyStart, keyEnd, start, end }: { keyStart: number; keyEnd: number; start: number; end: number },
): void {
  const number = key < 0 ? internRepaired(keyName, reader, target, { start: keyStart, end: keyEnd }) : key
  addText(reader, target, number, { start, end })
}

function addText(
  reader: WireReader,
  target: AttributeTarget,
  key: number,
  { start, end }: { start: number; end: number },
): void {
  if (isUtf8Range(reader.bytes, start, end)) return target.attributes.add(key, valueTypes.string, start, end - start)
  const at = appendRepaired(valueName, reader, target, { start, end })
  target.attributes.add(key, valueTypes.string, at, target.textLength)
}

/** The text in [reader.at, end), repaired if needed. */
export function readText(reader: WireReader, end: number, what: string): string {
  const { bytes, at } = reader
  reader.at = end
  return isUtf8Range(bytes, at, end) ? utf8Text(bytes, at, end) : repairText(what, bytes, at, end)
}

function isSimple(value: AttributeValue): boolean {
  return value.type === 'string' || value.type === 'int' || value.type === 'double' || value.type === 'bool'
}

/** An AnyValue as an object, or what is wrong with it. The last field of the oneof wins, as proto3 requires. */
export function decodeAnyValue(reader: WireReader, end: number, depth: number): AttributeValue | string {
  if (depth > nestingMax) return `an attribute value nests deeper than ${nestingMax} levels`
  reader.countObject()
  let value: AttributeValue = { type: 'empty' }
  while (reader.at < end) {
    const tag = reader.tag(end)
    const next = decodeAnyValueField(reader, tag, end, depth)
    if (typeof next === 'string') return next
    if (next !== undefined) value = next
  }
  return value
}

function decodeAnyValueField(
  reader: WireReader,
  tag: number,
  end: number,
  depth: number,
): AttributeValue | string | undefined {
  switch (tag) {
    case 0x0a:
      return { type: 'string', value: readText(reader, reader.lengthEnd(end), valueName) }
    case 0x10:
      reader.varint32(end)
      return { type: 'bool', value: reader.low !== 0 || reader.high !== 0 }
    case 0x18:
      reader.varint32(end)
      return { type: 'int', value: intOf(reader.low, reader.high) }
    case 0x21: {
      reader.fixed64(end)
      const view = new DataView(reader.bytes.buffer, reader.bytes.byteOffset + reader.at - 8, 8)
      return { type: 'double', value: view.getFloat64(0, true) }
    }
    case 0x2a:
      return decodeArray(reader, reader.lengthEnd(end), depth)
    case 0x32:
      return decodeMap(reader, reader.lengthEnd(end), depth)
    case 0x3a: {
      const stop = reader.lengthEnd(end)
      const value = reader.bytes.slice(reader.at, stop)
      reader.at = stop
      return { type: 'bytes', value }
    }
    default:
      reader.skip(tag & 7, end)
      return undefined
  }
}

function decodeArray(reader: WireReader, end: number, depth: number): AttributeValue | string {
  const values: AttributeValue[] = []
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag !== 0x0a) {
      reader.skip(tag & 7, end)
      continue
    }
    const value = decodeAnyValue(reader, reader.lengthEnd(end), depth + 1)
    if (typeof value === 'string') return value
    values.push(value)
  }
  return { type: 'array', value: values }
}

function decodeMap(reader: WireReader, end: number, depth: number): AttributeValue | string {
  const entries: Attribute[] = []
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag !== 0x0a) {
      reader.skip(tag & 7, end)
      continue
    }
    const entry = decodeKeyValue(reader, reader.lengthEnd(end), depth + 1)
    if (typeof entry === 'string') return entry
    entries.push(entry)
  }
  return { type: 'map', value: entries }
}

/** A KeyValue as an object, or what is wrong with it; for resources, scopes, events and links. */
export function decodeKeyValue(reader: WireReader, end: number, depth = 0): Attribute | string {
  reader.countObject()
  let key = ''
  let value: AttributeValue = { type: 'empty' }
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x0a) key = readText(reader, reader.lengthEnd(end), keyName)
    else if (tag === 0x12) {
      const decoded = decodeAnyValue(reader, reader.lengthEnd(end), depth)
      if (typeof decoded === 'string') return decoded
      value = decoded
    } else reader.skip(tag & 7, end)
  }
  return { key, value }
}
