/**
 * OTLP AnyValue and KeyValue from JSON (opentelemetry-proto common/v1/common.proto in ProtoJSON); the counterpart of
 * `any-value.ts`:
 *   KeyValue = {key, value}
 *   AnyValue = {stringValue | boolValue | intValue | doubleValue | arrayValue{values} | kvlistValue{values} | bytesValue}
 */
import type { Attribute, AttributeValue } from '../../model/attributes.ts'
import { valueTypes, type AttributeColumnsBuilder, type TextSink } from '../../model/attribute-columns.ts'
import type { Arena } from '../../model/arena.ts'
import type { Dictionary } from '../../model/dictionary.ts'
import { nestingMax } from './any-value.ts'
import type { JsonReader } from './json-reader.ts'
import { readBase64, readDouble, readInt64 } from './json-values.ts'

export interface JsonTarget extends TextSink {
  readonly arena: Arena
  readonly attributes: AttributeColumnsBuilder
  readonly dictionary: Dictionary
  internText(text: string): number
}

/** Start of the string just read in the target's arena, which began as the body; the length is then `textLength`. */
export function referString(reader: JsonReader, target: JsonTarget): number {
  if (reader.hasEscapes) return target.appendText(reader.text())
  target.textLength = reader.textEnd - reader.textStart
  return reader.textStart
}

/** Dictionary number of the string just read. */
export function internString(reader: JsonReader, target: JsonTarget): number {
  if (reader.hasEscapes) return target.internText(reader.text())
  return target.dictionary.intern(target.arena.bytes, reader.textStart, reader.textEnd)
}

/** Adds an array of KeyValue to the target's row. */
export function decodeAttributesJson(reader: JsonReader, target: JsonTarget): void {
  if (!reader.openArray()) return
  while (reader.nextItem()) decodeAttribute(reader, target)
}

function decodeAttribute(reader: JsonReader, target: JsonTarget): void {
  if (!reader.openObject()) return
  let key = -1
  let valueAt = -1
  let isAdded = false
  for (let field = reader.nextKey(); field !== undefined; field = reader.nextKey()) {
    if (field === 'key') {
      if (reader.readString()) key = internString(reader, target)
    } else if (field !== 'value') reader.skipValue()
    else if (key >= 0 && !isAdded) {
      addValue(reader, key, target)
      isAdded = true
    } else {
      valueAt = reader.at
      reader.skipValue()
    }
  }
  if (isAdded) return
  if (key < 0) key = target.internText('')
  // The value came before its key, or there is none.
  if (valueAt < 0) return target.attributes.add(key, valueTypes.other, target.texts.push('{}') - 1, 0)
  const { at, depth } = reader
  reader.rewind(valueAt, depth + 1)
  addValue(reader, key, target)
  reader.rewind(at, depth)
}

/** Adds the AnyValue that comes next; a plain string, the usual case, is not copied. */
function addValue(reader: JsonReader, key: number, target: JsonTarget): void {
  const start = reader.at
  const depth = reader.depth
  if (reader.bytes[start] === 0x7b && reader.openObject()) {
    const field = reader.nextKey()
    if (field === 'stringValue' && reader.bytes[reader.at] === 0x22 && reader.readString()) {
      const text = referString(reader, target)
      const length = target.textLength
      if (reader.nextKey() === undefined) return target.attributes.add(key, valueTypes.string, text, length)
    }
    reader.rewind(start, depth)
  }
  target.attributes.addValue(key, decodeAnyValueJson(reader, 0), target)
}

/** The AnyValue that comes next; null and `{}` are the empty value. The last field of the oneof wins. */
export function decodeAnyValueJson(reader: JsonReader, depth: number): AttributeValue {
  reader.countObject()
  let value: AttributeValue = { type: 'empty' }
  if (depth > nestingMax) {
    reader.setFault(`nests deeper than ${nestingMax} levels`)
    reader.skipValue()
    return value
  }
  if (!reader.openObject()) return value
  for (let field = reader.nextKey(); field !== undefined; field = reader.nextKey()) {
    value = decodeField(reader, field, depth) ?? value
  }
  return value
}

function decodeField(reader: JsonReader, field: string, depth: number): AttributeValue | undefined {
  // A null member of the oneof is not set.
  const isNull = reader.bytes[reader.at] === 0x6e
  switch (isNull ? '' : field) {
    case 'stringValue':
      return { type: 'string', value: reader.readString() ? reader.text() : '' }
    case 'boolValue':
      return { type: 'bool', value: reader.readBoolean() ?? false }
    case 'intValue':
      return { type: 'int', value: readInt64(reader) }
    case 'doubleValue':
      return { type: 'double', value: readDouble(reader) }
    case 'bytesValue':
      return { type: 'bytes', value: readBase64(reader) }
    case 'arrayValue':
      return { type: 'array', value: decodeValues(reader, (each) => decodeAnyValueJson(each, depth + 1)) }
    case 'kvlistValue':
      return { type: 'map', value: decodeValues(reader, (each) => decodeKeyValue(each, depth + 1)) }
    default:
      reader.skipValue()
      return undefined
  }
}

/** `{"values": […]}` */
function decodeValues<T>(reader: JsonReader, decodeItem: (reader: JsonReader) => T): T[] {
  const values: T[] = []
  if (!reader.openObject()) return values
  for (let field = reader.nextKey(); field !== undefined; field = reader.nextKey()) {
    if (field !== 'values') reader.skipValue()
    else if (reader.openArray()) while (reader.nextItem()) values.push(decodeItem(reader))
  }
  return values
}

/** An array of KeyValue as objects; for resources, scopes, events and links. */
export function decodeKeyValuesJson(reader: JsonReader): Attribute[] {
  const attributes: Attribute[] = []
  if (reader.openArray()) while (reader.nextItem()) attributes.push(decodeKeyValue(reader, 0))
  return attributes
}

function decodeKeyValue(reader: JsonReader, depth: number): Attribute {
  reader.countObject()
  let key = ''
  let value: AttributeValue = { type: 'empty' }
  if (!reader.openObject()) return { key, value }
  for (let field = reader.nextKey(); field !== undefined; field = reader.nextKey()) {
    if (field === 'key') key = reader.readString() ? reader.text() : ''
    else if (field === 'value') value = decodeAnyValueJson(reader, depth)
    else reader.skipValue()
  }
  return { key, value }
}
