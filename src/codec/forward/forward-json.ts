/**
 * Forward messages sent as JSON instead of MessagePack (a stream of JSON arrays, as fluent-cat and curl-like senders use):
 *   Message = [tag, time, record, option?]        Forward = [tag, [[time, record]*], option?]
 *   time    = number of seconds, 0 and null for "when it was received"
 */
import { InputError } from '../../base/errors.ts'
import { EventBatchBuilder } from '../../model/event-batch.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { putObject } from '../json/json-record.ts'
import { closeArray, comma, openArray } from '../json/json-scanner.ts'
import { JsonValueReader } from '../json/value-reader.ts'
import { RecordRow } from '../record/record-row.ts'
import { nanosOfInteger, nanosOfNumber } from '../record/record-time.ts'
import { validText } from '../utf8.ts'

export const forwardJson: Codec = { name: 'forward-json', signal: 'events', decode }

const builder = new EventBatchBuilder()
const record = new RecordRow(builder)

interface Progress {
  readonly receivedAtMs: number
  rejected: number
  reason: string
}

function decode(body: Uint8Array, { receivedAtMs }: DecodeContext): Decoded {
  const bytes = validText(body)
  builder.reset('forward', bytes)
  record.reset()
  const progress: Progress = { receivedAtMs, rejected: 0, reason: '' }
  const reader = new JsonValueReader(bytes)
  while (reader.peek() !== -1) {
    const start = reader.at
    try {
      decodeMessage(reader, progress)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      refuse(progress, error.message)
      // Skipping it fails only when the body itself is cut short, and then the whole body is refused.
      reader.at = start
      reader.skipLoosely()
      if (reader.at === start) throw error
    }
  }
  return { batch: builder.finish(), rejected: progress.rejected, rejectedReason: progress.reason }
}

function refuse(progress: Progress, reason: string): void {
  if (progress.rejected++ === 0) progress.reason = reason
}

function decodeMessage(reader: JsonValueReader, progress: Progress): void {
  reader.expect(openArray)
  const tag = reader.stringText()
  record.setDefaults({ service: tag, host: '' })
  reader.expect(comma)
  if (reader.peek() === openArray) {
    reader.elements(() => {
      reader.expect(openArray)
      decodeEntry(reader, tag, progress)
      reader.expect(closeArray)
    })
  } else decodeEntry(reader, tag, progress)
  while (reader.take(comma)) reader.skipLoosely()
  reader.expect(closeArray)
}

/** Time, comma and record. An invalid one is counted and skipped. */
function decodeEntry(reader: JsonValueReader, tag: string, progress: Progress): void {
  const start = reader.at
  try {
    record.begin()
    setTime(reader)
    reader.expect(comma)
    record.putAttribute('fluent.tag', { type: 'string', value: tag })
    putObject(reader, record)
    record.end(progress.receivedAtMs)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    record.drop()
    refuse(progress, error.message)
    reader.at = start
    reader.skipLoosely()
    reader.expect(comma)
    reader.skipLoosely()
  }
}

function setTime(reader: JsonValueReader): void {
  const value = reader.value()
  const isNow = value.type === 'empty' || (value.type === 'int' && value.value === 0n)
  if (isNow) return
  let nanos: bigint | undefined
  if (value.type === 'int')
    nanos = value.value > 0n && value.value < 100_000_000n ? value.value * 1_000_000_000n : nanosOfInteger(value.value)
  else if (value.type === 'double') nanos = nanosOfNumber(value.value)
  if (nanos === undefined) throw new InputError('bad_request', 'a time is not seconds since 1970')
  record.setTime(nanos)
}

/** The value of `option.chunk` of a message, '' for none: the id to acknowledge. */
export function chunkOfJson(message: Uint8Array): string {
  const reader = new JsonValueReader(validText(message))
  try {
    reader.expect(openArray)
    const values = [reader.value()]
    while (reader.take(comma)) values.push(reader.value())
    const option = values[values[1]?.type === 'array' ? 2 : 3]
    const chunk = option?.type === 'map' ? option.value.find(({ key }) => key === 'chunk')?.value : undefined
    return chunk?.type === 'string' ? chunk.value : ''
  } catch (error) {
    if (error instanceof InputError) return ''
    throw error
  }
}
