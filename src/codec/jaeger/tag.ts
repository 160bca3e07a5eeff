/** A Jaeger tag (or a log's field) between decoding and its row; one object serves all, as reading is synchronous. */
import { valueTypes, type ValueType } from '../../model/attribute-columns.ts'
import type { Attribute, AttributeValue } from '../../model/attributes.ts'
import { doubleOf, intOf } from '../../model/words.ts'
import { repairText, type RepairTarget } from '../repairs.ts'
import { isUtf8Range, utf8Text } from '../utf8.ts'

export interface JaegerTag {
  keyStart: number
  keyEnd: number
  /** `other` is binary; its a and b are a range, as for a string. */
  type: ValueType
  /** In the form of attribute columns. */
  a: number
  b: number
}

export function newTag(): JaegerTag {
  return { keyStart: 0, keyEnd: 0, type: valueTypes.string, a: 0, b: 0 }
}

/**
 * The values that a tag carries, one per type; the tag's type selects one, because some clients write all of them each
 * time. Each type has two entries, as columns store values.
 */
const values = new Uint32Array(12)

/** Call this before the fields of a tag are read. */
export function beginTag(tag: JaegerTag): void {
  tag.keyStart = tag.keyEnd = 0
  tag.type = valueTypes.string
  values.fill(0)
}

export function setTagValue(type: ValueType, a: number, b: number): void {
  values[type * 2] = a
  values[type * 2 + 1] = b
}

/** Gives the tag the value of its type; 0, false or empty when there was none. */
export function endTag(tag: JaegerTag): void {
  tag.a = values[tag.type * 2]!
  tag.b = values[tag.type * 2 + 1]!
}

/** Puts repaired copies of invalid UTF-8 into the target's arena and makes the tag refer to them. */
export function repairTag(tag: JaegerTag, target: RepairTarget): void {
  const { bytes } = target.arena
  if (!isUtf8Range(bytes, tag.keyStart, tag.keyEnd)) {
    tag.keyStart = target.appendText(repairText(keyName, bytes, tag.keyStart, tag.keyEnd))
    tag.keyEnd = tag.keyStart + target.textLength
  }
  if (tag.type === valueTypes.string && !isUtf8Range(bytes, tag.a, tag.a + tag.b)) {
    tag.a = target.appendText(repairText(valueName, bytes, tag.a, tag.a + tag.b))
    tag.b = target.textLength
  }
}

const keyName = 'a tag key'
const valueName = 'a tag value'

/** The tag as an object, for processes and log fields, with its texts repaired if needed. */
export function attributeOf(tag: JaegerTag, bytes: Uint8Array): Attribute {
  return { key: validText(keyName, bytes, tag.keyStart, tag.keyEnd), value: valueOf(tag, bytes) }
}

/** The text in [start, end), repaired if needed. */
export function validText(what: string, bytes: Uint8Array, start: number, end: number): string {
  return isUtf8Range(bytes, start, end) ? utf8Text(bytes, start, end) : repairText(what, bytes, start, end)
}

function valueOf({ type, a, b }: JaegerTag, bytes: Uint8Array): AttributeValue {
  switch (type) {
    case valueTypes.int:
      return { type: 'int', value: intOf(a, b) }
    case valueTypes.double:
      return { type: 'double', value: doubleOf(a, b) }
    case valueTypes.bool:
      return { type: 'bool', value: a !== 0 }
    case valueTypes.other:
      return { type: 'bytes', value: bytes.slice(a, a + b) }
    default:
      return { type: 'string', value: validText(valueName, bytes, a, a + b) }
  }
}
