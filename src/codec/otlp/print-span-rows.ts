/** Stored spans -> OTLP JSON `Span`, one at a time. */
import type { SpanRows } from '../../model/row-block.ts'
import { CodedFragments } from './coded-fragments.ts'
import { fragment, type JsonBytes } from './json-bytes.ts'
import { attributePrinter, type RowPrinter } from './print-attribute-rows.ts'
import { printEvent, printLink } from './print-json.ts'

const traceId = fragment('{"traceId":"')
const spanId = fragment('","spanId":"')
const parentSpanId = fragment(',"parentSpanId":"')
const flags = fragment(',"flags":')
const kind = fragment(',"kind":')
const startTime = fragment(',"startTimeUnixNano":"')
const endTime = fragment('","endTimeUnixNano":"')
const statusCode = fragment(',"code":')
const statusBegin = fragment(',"status":{')
const quote = 0x22
const brace = 0x7d

export function spanPrinter(block: SpanRows, out: JsonBytes): RowPrinter {
  const { traceIds, spanIds, parentSpanIds } = block
  const names = new CodedFragments(block.names, ',"name":"', '"')
  const messages = new CodedFragments(block.statusMessages, '"message":"', '"')
  const attributes = attributePrinter(block.attributes, out)
  const times = timePrinter(block, out)
  return (row) => {
    out.raw(traceId)
    out.hex(traceIds, row * 16, 16)
    out.raw(spanId)
    out.hex(spanIds, row * 8, 8)
    out.byte(quote)
    if (!isZero(parentSpanIds, row * 8, 8)) {
      out.raw(parentSpanId)
      out.hex(parentSpanIds, row * 8, 8)
      out.byte(quote)
    }
    if (block.flags[row] !== 0) {
      out.raw(flags)
      out.whole(block.flags[row]!)
    }
    names.write(out, row)
    out.raw(kind)
    out.whole(block.kinds[row]!)
    times(row)
    attributes(row)
    writeLists(block, row, out)
    out.raw(statusBegin)
    messages.writeUnlessEmpty(out, row)
    const code = block.statusCodes[row]!
    if (code !== 0) {
      out.raw(messages.isEmpty(row) ? statusCode.subarray(1) : statusCode)
      out.whole(code)
    }
    out.byte(brace)
    out.byte(brace)
  }
}

/** Start and end, with 64-bit sums in words. */
function timePrinter({ startTimes, durations }: SpanRows, out: JsonBytes): RowPrinter {
  const starts = new Uint32Array(startTimes.buffer)
  const lengths = new Uint32Array(durations.buffer)
  return (row) => {
    const [low, high] = [starts[row * 2]!, starts[row * 2 + 1]!]
    out.raw(startTime)
    out.uint64(high, low)
    out.raw(endTime)
    const sum = low + lengths[row * 2]!
    const carry = sum > 0xffff_ffff ? 1 : 0
    out.uint64((high + lengths[row * 2 + 1]! + carry) >>> 0, sum >>> 0)
    out.byte(quote)
  }
}

/** Few spans have any of these. */
function writeLists(block: SpanRows, row: number, out: JsonBytes): void {
  const events = block.events(row)
  if (events !== undefined) out.json(`,"events":${JSON.stringify(events.map(printEvent))}`)
  const links = block.links(row)
  if (links !== undefined) out.json(`,"links":${JSON.stringify(links.map(printLink))}`)
  const rest = block.rest(row)
  if (rest === undefined) return
  for (const [name, value] of Object.entries(rest)) {
    if (value !== '' && value !== 0) out.json(`,"${name}":${JSON.stringify(value)}`)
  }
}

export function isZero(bytes: Uint8Array, start: number, count: number): boolean {
  for (let i = start; i < start + count; i++) if (bytes[i] !== 0) return false
  return true
}
