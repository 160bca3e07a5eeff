/** Writes thrift with Apache's own library, for tests: what its encoders write, our readers must read. */
import { createRequire } from 'node:module'
import { thriftTypes } from '../../src/codec/thrift/reader.ts'

/** A field: its id, its type and a value; a struct is a list of fields. */
export type ThriftField = readonly [id: number, type: keyof typeof thriftTypes, value: ThriftValue]
export type ThriftStruct = readonly ThriftField[]
export type ThriftValue =
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | ThriftStruct
  | ThriftList
  | ReadonlyMap<string, number>

export interface ThriftList {
  readonly of: keyof typeof thriftTypes
  readonly items: readonly ThriftValue[]
}

export const structs = (...items: readonly ThriftStruct[]): ThriftList => ({ of: 'struct', items })

/** The part of the library's protocols that is used here. */
interface Protocol {
  writeMessageBegin(name: string, type: number, sequence: number): void
  writeStructBegin(name: string): void
  writeStructEnd(): void
  writeFieldBegin(name: string, type: number, id: number): void
  writeFieldEnd(): void
  writeFieldStop(): void
  writeListBegin(type: number, size: number): void
  writeMapBegin(key: number, value: number, size: number): void
  writeBool(value: boolean): void
  writeByte(value: number): void
  writeI16(value: number): void
  writeI32(value: number): void
  writeI64(value: unknown): void
  writeDouble(value: number): void
  writeString(value: string): void
  writeBinary(value: Buffer): void
  flush(): void
}

const require = createRequire(import.meta.url)
const thrift = require('thrift') as {
  Int64: new (bytes: Buffer) => unknown
  TBufferedTransport: new (initial: undefined, onFlush: (bytes: Buffer) => void) => object
  TBinaryProtocol: new (transport: object, strictRead: boolean, strictWrite: boolean) => Protocol
  TCompactProtocol: new (transport: object) => Protocol
}

export type ThriftEncoding = 'binary' | 'old binary' | 'compact'

/** The bytes of a struct, within a message when `message` names one. */
export function writeThrift(
  encoding: ThriftEncoding,
  struct: ThriftStruct,
  message?: { name: string; type: number },
): Buffer {
  return write(encoding, (protocol) => {
    if (message !== undefined) protocol.writeMessageBegin(message.name, message.type, 7)
    writeValue(protocol, 'struct', struct)
  })
}

/** The bytes of a bare list. */
export function writeThriftList(encoding: ThriftEncoding, list: ThriftList): Buffer {
  return write(encoding, (protocol) => writeValue(protocol, 'list', list))
}

function write(encoding: ThriftEncoding, fill: (protocol: Protocol) => void): Buffer {
  const chunks: Buffer[] = []
  const transport = new thrift.TBufferedTransport(undefined, (bytes) => chunks.push(Buffer.from(bytes)))
  const protocol =
    encoding === 'compact'
      ? new thrift.TCompactProtocol(transport)
      : new thrift.TBinaryProtocol(transport, true, encoding === 'binary')
  fill(protocol)
  protocol.flush()
  return Buffer.concat(chunks)
}

function writeValue(protocol: Protocol, type: keyof typeof thriftTypes, value: ThriftValue): void {
  switch (type) {
    case 'bool':
      return protocol.writeBool(value as boolean)
    case 'byte':
      return protocol.writeByte(value as number)
    case 'i16':
      return protocol.writeI16(value as number)
    case 'i32':
      return protocol.writeI32(value as number)
    case 'i64': {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(BigInt.asIntN(64, value as bigint))
      return protocol.writeI64(new thrift.Int64(bytes))
    }
    case 'double':
      return protocol.writeDouble(value as number)
    case 'string':
      return typeof value === 'string'
        ? protocol.writeString(value)
        : protocol.writeBinary(Buffer.from(value as Uint8Array))
    case 'map': {
      const map = value as ReadonlyMap<string, number>
      protocol.writeMapBegin(thriftTypes.string, thriftTypes.i32, map.size)
      for (const [key, number] of map) {
        protocol.writeString(key)
        protocol.writeI32(number)
      }
      return
    }
    case 'list':
    case 'set': {
      const { of, items } = value as ThriftList
      protocol.writeListBegin(thriftTypes[of], items.length)
      for (const item of items) writeValue(protocol, of, item)
      return
    }
    default:
      writeStruct(protocol, value as ThriftStruct)
  }
}

function writeStruct(protocol: Protocol, struct: ThriftStruct): void {
  protocol.writeStructBegin('')
  for (const [id, type, value] of struct) {
    protocol.writeFieldBegin('', thriftTypes[type], id)
    writeValue(protocol, type, value)
    protocol.writeFieldEnd()
  }
  protocol.writeFieldStop()
  protocol.writeStructEnd()
}
