/** Attributes of stored rows as OTLP JSON: `,"attributes":[{"key":…,"value":{…}},…]`, or nothing. */
import type { AttributeRows, MapColumn, OwnAttribute } from '../../model/row-block.ts'
import { CodedFragments } from './coded-fragments.ts'
import { fragment, type JsonBytes } from './json-bytes.ts'

const begin = fragment(',"attributes":[')
const end = 0x5d
const comma = 0x2c
const intBegin = fragment('{"intValue":"')
const intEnd = fragment('"}}')
const doubleBegin = fragment('{"doubleValue":')
const doubleEnd = fragment('}}')
const stringBegin = fragment('{"stringValue":"')
const stringEnd = fragment('"}}')
const boolBegin = fragment('{"boolValue":')

export type RowPrinter = (row: number) => void

export function attributePrinter(attributes: AttributeRows, out: JsonBytes): RowPrinter {
  const parts = [
    ...attributes.own.map((own) => ownPrinter(own, out)),
    mapPrinter(attributes.strings, out, ({ bytes, starts, ends }, at) => {
      out.raw(stringBegin)
      out.text(bytes, starts[at]!, ends[at]!)
      out.raw(stringEnd)
    }),
    mapPrinter(attributes.numbers, out, (values, at) => writeNumber(out, values[at]!)),
    mapPrinter(attributes.others, out, ({ bytes, starts, ends }, at) => writeTyped(out, bytes, starts[at]!, ends[at]!)),
  ]
  return (row) => {
    const start = out.length
    out.raw(begin)
    for (const print of parts) print(row)
    if (out.length === start + begin.length) {
      out.length = start
      return
    }
    // Each attribute ends with a comma; the last one becomes the end of the list.
    out.bytes[out.length - 1] = end
  }
}

function ownPrinter(own: OwnAttribute, out: JsonBytes): RowPrinter {
  const before = `{"key":${JSON.stringify(own.key)},"value":{`
  if (own.type === 'coded') {
    const fragments = new CodedFragments(own.column, `${before}"stringValue":"`, '"}},')
    return (row) => fragments.writeUnlessEmpty(out, row)
  }
  if (own.type === 'text') {
    const { column } = own
    const [head, tail] = [fragment(`${before}"stringValue":"`), fragment('"}},')]
    return (row) => {
      if (column.starts[row] === column.ends[row]) return
      out.raw(head)
      out.textOf(column, row)
      out.raw(tail)
    }
  }
  const { column } = own
  const [head, tail] = [fragment(`${before}"intValue":"`), fragment('"}},')]
  return (row) => {
    if (column[row] === 0) return
    out.raw(head)
    out.whole(column[row]!)
    out.raw(tail)
  }
}

function mapPrinter<Values>(
  { ends, keys, values }: MapColumn<Values>,
  out: JsonBytes,
  write: (values: Values, at: number) => void,
): RowPrinter {
  const fragments = new CodedFragments(keys, '{"key":"', '","value":')
  return (row) => {
    const last = ends[row]!
    for (let at = row === 0 ? 0 : ends[row - 1]!; at < last; at++) {
      fragments.write(out, at)
      write(values, at)
      out.byte(comma)
    }
  }
}

function writeNumber(out: JsonBytes, value: number): void {
  if (Number.isInteger(value)) {
    out.raw(intBegin)
    if (value >= 0) out.whole(value)
    else out.ascii(String(value))
    out.raw(intEnd)
  } else {
    out.raw(doubleBegin)
    out.ascii(String(value))
    out.raw(doubleEnd)
  }
}

/** A value as typed JSON (model/attributes.ts); its first byte shows its type. */
function writeTyped(out: JsonBytes, bytes: Uint8Array, start: number, finish: number): void {
  const first = bytes[start]
  if (first === 0x7b) {
    // Already an AnyValue.
    out.rawSlice(bytes, start, finish)
    out.byte(0x7d)
    return
  }
  if (first === 0x74 || first === 0x66) out.raw(boolBegin)
  else if (isWhole(bytes, start, finish)) {
    out.raw(intBegin)
    out.rawSlice(bytes, start, finish)
    out.raw(intEnd)
    return
  } else out.raw(doubleBegin)
  out.rawSlice(bytes, start, finish)
  out.raw(doubleEnd)
}

/** Whether a number has neither a point nor an exponent. */
function isWhole(bytes: Uint8Array, start: number, finish: number): boolean {
  for (let i = start; i < finish; i++) if (bytes[i] === 0x2e || bytes[i] === 0x65) return false
  return true
}
