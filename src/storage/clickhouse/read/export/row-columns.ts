/** Which columns an export reads, and blocks of them as rows of the model. */
import type {
  AttributeRows,
  CodedColumn,
  EventRows,
  MapColumn,
  SpanRows,
  TextColumn,
} from '../../../../model/row-block.ts'
import { dedicatedAttributes } from '../../../dedicated.ts'
import { parseEvents, parseLinks, parseRest } from '../../block/span-lists.ts'
import { float64Of, int64Of, uint16Of, uint32Of, type NativeBlock } from '../../native/block-reader.ts'

const maps = ['attributes_string', 'attributes_number', 'attributes_other']
const shared = ['trace_id', 'span_id', 'flags', 'resource', 'scope']

export const spanColumns: readonly string[] = [
  ...shared,
  'parent_span_id',
  'name',
  'kind',
  'start_time',
  'duration',
  'status_code',
  'status_message',
  ...dedicatedAttributes.map(({ column }) => column),
  ...maps,
  'events',
  'links',
  'rest',
]

export const eventColumns: readonly string[] = [
  ...shared,
  'time',
  'time_given',
  'observed_time',
  'severity_number',
  'severity_text',
  'type',
  'body_type',
  'body',
  ...maps,
  'dropped_attributes_count',
]

export function spanRowsOf({ rows, columns }: NativeBlock): SpanRows {
  const block = new Columns(columns)
  const partOf = <Part>(name: string, parse: (text: string) => Part): ((row: number) => Part | undefined) => {
    const column = block.texts(name)
    return (row) => {
      const start = column.starts[row]!
      const length = column.ends[row]! - start
      if (length === 0) return undefined
      return parse(Buffer.from(column.bytes.buffer, column.bytes.byteOffset + start, length).toString())
    }
  }
  return {
    signal: 'spans',
    rows,
    ...block.shared(),
    attributes: attributesOf(block, dedicatedAttributes),
    parentSpanIds: block.bytes('parent_span_id'),
    names: block.coded('name'),
    kinds: block.bytes('kind'),
    startTimes: int64Of(block.bytes('start_time')),
    durations: int64Of(block.bytes('duration')),
    statusCodes: block.bytes('status_code'),
    statusMessages: block.coded('status_message'),
    events: partOf('events', parseEvents),
    links: partOf('links', parseLinks),
    rest: partOf('rest', parseRest),
  }
}

export function eventRowsOf({ rows, columns }: NativeBlock): EventRows {
  const block = new Columns(columns)
  return {
    signal: 'events',
    rows,
    ...block.shared(),
    attributes: attributesOf(block, []),
    times: int64Of(block.bytes('time')),
    timeGiven: block.bytes('time_given'),
    observedTimes: int64Of(block.bytes('observed_time')),
    severityNumbers: block.bytes('severity_number'),
    severityTexts: block.coded('severity_text'),
    types: block.coded('type'),
    bodyTypes: block.bytes('body_type'),
    bodies: block.texts('body'),
    droppedAttributes: uint32Of(block.bytes('dropped_attributes_count')),
  }
}

/** Columns of a block by name; their types are those of the tables. */
class Columns {
  readonly #columns: NativeBlock['columns']

  constructor(columns: NativeBlock['columns']) {
    this.#columns = columns
  }

  bytes(name: string): Uint8Array {
    return this.#columns.get(name) as Uint8Array
  }

  texts(name: string): TextColumn {
    return this.#columns.get(name) as TextColumn
  }

  coded(name: string): CodedColumn {
    return this.#columns.get(name) as CodedColumn
  }

  map(name: string): MapColumn<TextColumn> {
    return this.#columns.get(name) as MapColumn<TextColumn>
  }

  numbers(name: string): MapColumn<Float64Array> {
    const map = this.#columns.get(name) as MapColumn<Uint8Array>
    return { ...map, values: float64Of(map.values) }
  }

  shared(): Pick<SpanRows, 'traceIds' | 'spanIds' | 'flags' | 'resources' | 'scopes'> {
    return {
      traceIds: this.bytes('trace_id'),
      spanIds: this.bytes('span_id'),
      flags: uint32Of(this.bytes('flags')),
      resources: this.coded('resource'),
      scopes: this.coded('scope'),
    }
  }
}

function attributesOf(block: Columns, dedicated: typeof dedicatedAttributes): AttributeRows {
  return {
    own: dedicated.map(({ key, column, type }) => {
      if (type === 'port') return { key, type: 'int', column: uint16Of(block.bytes(column)) }
      if (type === 'text') return { key, type: 'text', column: block.texts(column) }
      return { key, type: 'coded', column: block.coded(column) }
    }),
    strings: block.map('attributes_string'),
    numbers: block.numbers('attributes_number'),
    others: block.map('attributes_other'),
  }
}
