/** One JSON object per line (jsonlines.org, ndjson): the members are the keys of the record, with their types. */
import { parseTyped, TypedHolder, type AttributeValue } from '../../model/attributes.ts'
import type { RecordRow } from '../record/record-row.ts'

/** Deeper values are kept as their JSON text. */
const nestingMax = 32
const membersMax = 1024

/** False when the text is not a JSON object; then nothing was put. */
export function putJsonLine(text: string, record: RecordRow): boolean {
  if (!text.trimStart().startsWith('{')) return false
  let parsed: unknown
  try {
    parsed = parseTyped(text)
  } catch {
    return false
  }
  const members = Object.entries(parsed as object)
  if (members.length > membersMax) return false
  for (const [name, member] of members) {
    const value = attributeOf(member, 0)
    record.putValue(name, value)
    record.lookInto(record.keyOf(name), value)
  }
  return true
}

function attributeOf(value: unknown, depth: number): AttributeValue {
  if (value instanceof TypedHolder) return fittingNumber(value.typed)
  if (typeof value === 'string') return { type: 'string', value }
  if (typeof value === 'boolean') return { type: 'bool', value }
  if (value === null || value === undefined) return { type: 'empty' }
  if (depth === nestingMax) return { type: 'string', value: JSON.stringify(value) }
  if (Array.isArray(value)) return { type: 'array', value: value.map((item) => attributeOf(item, depth + 1)) }
  return {
    type: 'map',
    value: Object.entries(value).map(([key, item]) => ({ key, value: attributeOf(item, depth + 1) })),
  }
}

/** Whole numbers over 64 bits keep their digits as text, as from every other source. */
function fittingNumber(number: AttributeValue): AttributeValue {
  if (number.type !== 'int' || BigInt.asIntN(64, number.value) === number.value) return number
  return { type: 'string', value: number.value.toString() }
}
