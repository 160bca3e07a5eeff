/**
 * Apache Thrift, the reading half: what the binary and the compact protocol have in common.
 *   message = header(name, type, sequence) struct
 *   struct = { field } stop          field = header(type, id) value
 * A reader goes over bytes it does not own and copies nothing: text stays in place. Every length is checked against the
 * remaining bytes, and every nesting against `depthMax`, so a false size costs nothing.
 */
import { InputError } from '../../base/errors.ts'

/** Types as the binary protocol numbers them; the compact reader translates to these. */
export const thriftTypes = {
  stop: 0,
  bool: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15,
} as const

/** Message types; a client that wants no answer sends `oneway`. */
export const messageTypes = { call: 1, reply: 2, exception: 3, oneway: 4 } as const

/** Structs and containers may nest this deep. Spans need 5: arguments, batch, span, log, field. */
export const depthMax = 32

export interface ThriftMessage {
  readonly name: string
  readonly type: number
}

export interface ThriftReader {
  readonly bytes: Uint8Array
  at: number
  /** Where the readable part ends. */
  readonly end: number
  /** Open structs and containers. */
  depth: number
  /** Id of the field that `fieldBegin` read. */
  readonly fieldId: number
  /** What `listBegin` read. */
  readonly elementType: number
  readonly size: number
  /** Words of the last i64 (two's complement) or double (IEEE 754). */
  readonly low: number
  readonly high: number
  /** The range of the last text. */
  readonly textStart: number
  readonly textEnd: number

  messageBegin(): ThriftMessage
  /** Called before the first field of each struct; its end is the `stop` that `fieldBegin` returns. */
  structBegin(): void
  /** Type of the next field, with its id in `fieldId`; `stop` when the struct ends. */
  fieldBegin(): number
  /** Header of a list or set: `elementType` and `size`; never more elements than bytes left. */
  listBegin(): void
  /** The same for a map. */
  mapBegin(): { readonly keyType: number; readonly valueType: number; readonly size: number }
  bool(): boolean
  i16(): number
  i32(): number
  i64(): void
  double(): void
  /** Text or binary: its range is in `textStart` and `textEnd`. */
  text(): void
  /** Skips a byte, i16, i32, i64 or double. */
  skipNumber(type: number): void
}

/** Skips a value of any type. */
export function skip(reader: ThriftReader, type: number): void {
  switch (type) {
    case thriftTypes.bool:
      reader.bool()
      return
    case thriftTypes.string:
      reader.text()
      return
    case thriftTypes.struct:
      reader.structBegin()
      for (let field = reader.fieldBegin(); field !== thriftTypes.stop; field = reader.fieldBegin()) skip(reader, field)
      return
    case thriftTypes.list:
    case thriftTypes.set: {
      reader.listBegin()
      const { elementType, size } = reader
      enter(reader)
      for (let i = 0; i < size; i++) skip(reader, elementType)
      reader.depth--
      return
    }
    case thriftTypes.map: {
      const { keyType, valueType, size } = reader.mapBegin()
      enter(reader)
      for (let i = 0; i < size; i++) {
        skip(reader, keyType)
        skip(reader, valueType)
      }
      reader.depth--
      return
    }
    default:
      reader.skipNumber(type)
  }
}

export function enter(reader: ThriftReader): void {
  if (++reader.depth > depthMax) fail(reader, `structures nest deeper than ${depthMax} levels`)
}

export function need(reader: ThriftReader, bytes: number): void {
  const left = reader.end - reader.at
  if (bytes > left) fail(reader, `${bytes} bytes expected, ${left} left`)
}

/** An element takes at least a byte, so a list that claims more elements is cut short or malicious. */
export function checkSize(reader: ThriftReader, size: number): void {
  const left = reader.end - reader.at
  if (size < 0 || size > left) fail(reader, `${size} elements in ${left} bytes`)
}

export function fail(reader: ThriftReader, what: string): never {
  throw new InputError('bad_request', `cannot decode thrift: ${what} at byte ${reader.at}`, { at: `byte ${reader.at}` })
}
