/** Reads a record of the log back into columns, with the decoder its receiver used. */
import type { Logger } from 'pino'
import { messageOf } from '../base/errors.ts'
import { codecNamed } from '../codec/codecs.ts'
import { decompress } from '../codec/compression.ts'
import type { DecodeRecord } from '../storage/batch-queue.ts'

export function openDecoder(bodyBytesMax: number, logger: Logger): DecodeRecord {
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
      return codec.decode(body, { receivedAtMs: record.receivedAtMs }).batch
    } catch (error) {
      logger.error(
        { position: record.position, codec: record.codec },
        `cannot read a record of the log: ${messageOf(error)}`,
      )
      return undefined
    }
  }
}
