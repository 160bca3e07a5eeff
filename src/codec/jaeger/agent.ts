/**
 * Messages to the Jaeger agent (jaeger-idl thrift/agent.thrift), as they come in datagrams:
 *   message emitBatch(1: jaeger.Batch) · emitZipkinBatch(1: list<zipkincore.Span>), oneway or call
 * A record of the log contains many of them (framing/peer-messages.ts), so that each needs few bytes there. The first
 * byte of a datagram shows its protocol: 0x82 compact, else binary. A broken datagram affects no other and counts as
 * one rejected row.
 */
import { InputError } from '../../base/errors.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { decodePeerMessages } from '../framing/peer-messages.ts'
import { SpanRows } from '../span-rows.ts'
import { ThriftBinaryReader } from '../thrift/binary.ts'
import { ThriftCompactReader } from '../thrift/compact.ts'
import { fail, messageTypes, skip, thriftTypes, type ThriftReader } from '../thrift/reader.ts'
import { ZipkinRows } from '../zipkin/rows.ts'
import { readV1Spans } from '../zipkin/thrift-v1.ts'
import { JaegerRows } from './rows.ts'
import { readBatch } from './thrift.ts'

export const jaegerAgentDatagrams: Codec = { name: 'jaeger-agent-datagrams', signal: 'spans', decode }

const rows = new SpanRows()
const jaegerRows = new JaegerRows(rows)
const zipkinRows = new ZipkinRows(rows)

function decode(body: Uint8Array, context: DecodeContext): Decoded {
  rows.reset(body)
  jaegerRows.reset()
  zipkinRows.reset(context)
  decodePeerMessages(body, (_peer, start, end) => decodeDatagram(body, start, end))
  return rows.finish()
}

function decodeDatagram(body: Uint8Array, start: number, end: number): void {
  const before = rows.builder.rows
  try {
    const Reader = body[start] === 0x82 ? ThriftCompactReader : ThriftBinaryReader
    readMessage(new Reader(body, start, end))
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    rows.builder.dropRow()
    rows.builder.truncate(before)
    rows.reject(error.message)
  }
}

function readMessage(reader: ThriftReader): void {
  const { name, type } = reader.messageBegin()
  if (type !== messageTypes.oneway && type !== messageTypes.call) fail(reader, `message type ${type} is no call`)
  if (name !== 'emitBatch' && name !== 'emitZipkinBatch')
    fail(reader, 'a message other than emitBatch or emitZipkinBatch')
  reader.structBegin()
  for (let field = reader.fieldBegin(); field !== thriftTypes.stop; field = reader.fieldBegin()) {
    if (reader.fieldId === 1 && name === 'emitBatch' && field === thriftTypes.struct) readBatch(reader, jaegerRows)
    else if (reader.fieldId === 1 && name === 'emitZipkinBatch' && field === thriftTypes.list) {
      readV1Spans(reader, rows, zipkinRows)
    } else skip(reader, field)
  }
}
