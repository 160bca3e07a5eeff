/** Stored log records and other events -> OTLP JSON `LogRecord`, one at a time. */
import { bodyTypes } from '../../model/event-batch.ts'
import type { EventRows } from '../../model/row-block.ts'
import { CodedFragments } from './coded-fragments.ts'
import { fragment, type JsonBytes } from './json-bytes.ts'
import { attributePrinter, type RowPrinter } from './print-attribute-rows.ts'
import { isZero } from './print-span-rows.ts'

const time = fragment('"timeUnixNano":"')
const observedTime = fragment('"observedTimeUnixNano":"')
const severityNumber = fragment(',"severityNumber":')
const textBody = fragment(',"body":{"stringValue":"')
const textBodyEnd = fragment('"}')
const jsonBody = fragment(',"body":')
const dropped = fragment(',"droppedAttributesCount":')
const flags = fragment(',"flags":')
const traceId = fragment(',"traceId":"')
const spanId = fragment(',"spanId":"')
const brace = { open: 0x7b, close: 0x7d }
const quote = 0x22

export function eventPrinter(block: EventRows, out: JsonBytes): RowPrinter {
  const times = new Uint32Array(block.times.buffer)
  const observed = new Uint32Array(block.observedTimes.buffer)
  const severityTexts = new CodedFragments(block.severityTexts, ',"severityText":"', '"')
  const types = new CodedFragments(block.types, ',"eventName":"', '"')
  const attributes = attributePrinter(block.attributes, out)
  const number = (name: Uint8Array, value: number): void => {
    if (value === 0) return
    out.raw(name)
    out.whole(value)
  }
  const id = (name: Uint8Array, ids: Uint8Array, row: number, width: number): void => {
    if (isZero(ids, row * width, width)) return
    out.raw(name)
    out.hex(ids, row * width, width)
    out.byte(quote)
  }
  return (row) => {
    out.byte(brace.open)
    if (block.timeGiven[row] !== 0) {
      out.raw(time)
      out.uint64(times[row * 2 + 1]!, times[row * 2]!)
      out.byte(quote)
      out.byte(0x2c)
    }
    out.raw(observedTime)
    // A record that came without any time has the time of its receipt: printed as the observed time, it is kept.
    const isTimeless = block.timeGiven[row] === 0 && block.observedTimes[row] === 0n
    const source = isTimeless ? times : observed
    out.uint64(source[row * 2 + 1]!, source[row * 2]!)
    out.byte(quote)
    number(severityNumber, block.severityNumbers[row]!)
    severityTexts.writeUnlessEmpty(out, row)
    types.writeUnlessEmpty(out, row)
    writeBody(block, row, out)
    attributes(row)
    number(dropped, block.droppedAttributes[row]!)
    number(flags, block.flags[row]!)
    id(traceId, block.traceIds, row, 16)
    id(spanId, block.spanIds, row, 8)
    out.byte(brace.close)
  }
}

function writeBody({ bodyTypes: types, bodies }: EventRows, row: number, out: JsonBytes): void {
  if (types[row] === bodyTypes.string) {
    out.raw(textBody)
    out.textOf(bodies, row)
    out.raw(textBodyEnd)
  } else if (types[row] === bodyTypes.json) {
    out.raw(jsonBody)
    out.rawSlice(bodies.bytes, bodies.starts[row]!, bodies.ends[row]!)
  }
}
