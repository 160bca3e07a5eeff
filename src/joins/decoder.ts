/** Reads a record of the log back into columns, with the decoder its receiver used. */
import type { Logger } from 'pino'
import { messageOf } from '../base/errors.ts'
import { codecNamed } from '../codec/codecs.ts'
import { decompress } from '../codec/compression.ts'
import type { LargeBodies } from '../codec/thread/large-bodies.ts'
import type { DecodeRecord } from '../storage/batch-queue.ts'

/** `largeBodies` decodes large bodies off the event loop; without it every body is decoded at once. */
export function openDecoder(bodyBytesMax: number, logger: Logger, largeBodies?: LargeBodies): DecodeRecord {
  return async (record) => {
    const codec = codecNamed(record.codec)
    if (codec === undefined) {
      logger.error(
        { position: record.position, codec: record.codec },
        'cannot read a record of the log: its decoder is not known',
      )
      return undefined
    }
    try {
      const body = await decompress(record.encoding, record.body, bodyBytesMax)
      const { receivedAtMs } = record
      const decoded = await (largeBodies?.decode(codec, body, { receivedAtMs }) ?? codec.decode(body, { receivedAtMs }))
      return decoded.batch
    } catch (error) {
      logger.error(
        { position: record.position, codec: record.codec },
        `cannot read a record of the log: ${messageOf(error)}`,
      )
      return undefined
    }
  }
}
