/**
 * Blocks of stored rows -> OTLP JSON, one request per line, as the Collector's file exporter writes it
 * (`{"resourceSpans":[…]}`, `{"resourceLogs":[…]}`; OTLP 1.11 §JSON Protobuf Encoding). It prints the same as
 * print-json.ts, which its tests compare it with, but makes no object per row. `startTimeUnixNano` is in every span and
 * `observedTimeUnixNano` in every log record, so that rows can be counted without parsing.
 */
import type { CodedColumn, RowBlock } from '../../model/row-block.ts'
import { JsonBytes, fragment } from './json-bytes.ts'
import { eventPrinter } from './print-event-rows.ts'
import { printOrigin } from './print-json.ts'
import { spanPrinter } from './print-span-rows.ts'

/** A line ends once it has this many bytes. */
const lineBytes = 1 << 20

/** Lines of the block, each with its line feed: about a megabyte each, or one row if that is longer. */
export function* printRows(block: RowBlock): Generator<Buffer> {
  const out = new JsonBytes(lineBytes + (lineBytes >> 2))
  const isSpans = block.signal === 'spans'
  const print = isSpans ? spanPrinter(block, out) : eventPrinter(block, out)
  const begin = fragment(isSpans ? '{"resourceSpans":[' : '{"resourceLogs":[')
  const [scopes, records] = isSpans ? ['scopeSpans', 'spans'] : ['scopeLogs', 'logRecords']
  for (const group of groupsOf(block)) {
    const [open, close] = envelope(block, group, { scopes, records })
    let isOpen = false
    for (const row of group.rows) {
      if (isOpen) out.byte(comma)
      else {
        if (out.length === 0) out.raw(begin)
        else out.byte(comma)
        out.raw(open)
        isOpen = true
      }
      print(row)
      if (out.length < lineBytes) continue
      out.raw(close)
      out.raw(lineEnd)
      yield out.take()
      isOpen = false
    }
    if (isOpen) out.raw(close)
  }
  if (out.length === 0) return
  out.raw(lineEnd)
  yield out.take()
}

const comma = 0x2c
const lineEnd = fragment(']}\n')

interface Group {
  /** Codes of the resource and the scope. */
  readonly resource: number
  readonly scope: number
  readonly rows: Uint32Array
}

/** Rows of the same resource and scope, in order of first appearance. */
function groupsOf({ rows, resources, scopes }: RowBlock): Group[] {
  const scopeCount = scopes.texts.starts.length
  const indexes = new Map<number, number>()
  const counts: number[] = []
  const groupOf = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) {
    const key = resources.codes[row]! * scopeCount + scopes.codes[row]!
    let index = indexes.get(key)
    if (index === undefined) {
      indexes.set(key, (index = counts.length))
      counts.push(0)
    }
    groupOf[row] = index
    counts[index]!++
  }
  const groups = [...indexes.keys()].map((key, index) => ({
    resource: Math.floor(key / scopeCount),
    scope: key % scopeCount,
    rows: new Uint32Array(counts[index]!),
  }))
  counts.fill(0)
  for (let row = 0; row < rows; row++) {
    const index = groupOf[row]!
    groups[index]!.rows[counts[index]!++] = row
  }
  return groups
}

/** The text before and after the rows of a resource and scope. */
function envelope(
  { resources, scopes }: RowBlock,
  group: Group,
  names: { readonly scopes: string; readonly records: string },
): readonly [open: Uint8Array, close: Uint8Array] {
  const { schemaUrl: resourceUrl, ...resource } = printOrigin(textOf(resources, group.resource))
  const { schemaUrl: scopeUrl, ...scope } = printOrigin(textOf(scopes, group.scope))
  const url = (text: unknown): string => (text === undefined ? '' : `,"schemaUrl":${JSON.stringify(text)}`)
  return [
    fragment(
      `{"resource":${JSON.stringify(resource)},"${names.scopes}":[{"scope":${JSON.stringify(scope)},"${names.records}":[`,
    ),
    fragment(`]${url(scopeUrl)}}]${url(resourceUrl)}}`),
  ]
}

function textOf({ texts }: CodedColumn, code: number): string {
  const start = texts.starts[code]!
  return Buffer.from(texts.bytes.buffer, texts.bytes.byteOffset + start, texts.ends[code]! - start).toString()
}
