/** Reads the body of an HTTP request as it was sent, within a size limit and a budget shared with other requests. */
import type { IncomingMessage } from 'node:http'
import { bufferPool } from '../../base/buffer-pool.ts'
import { InputError } from '../../base/errors.ts'
import type { ByteBudget } from '../byte-budget.ts'

const empty = Buffer.alloc(0)

/**
 * Resolves with the whole body. Rejects with `InputError` `too_large` as soon as that is known, `bad_request` when the
 * client disconnects before the end, `UnavailableError` when the budget is used up. The rest of the body is read and
 * discarded, so that the client can read the answer.
 */
export function readHttpBody(request: IncomingMessage, bytesMax: number, budget: ByteBudget): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > bytesMax) {
    request.resume()
    return Promise.reject(bodyTooLarge(bytesMax))
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const settle = (): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose)
      budget.release(bytes)
    }
    const fail = (error: unknown): void => {
      settle()
      request.resume()
      reject(error as Error)
    }
    const onData = (chunk: Buffer): void => {
      if (bytes + chunk.length > bytesMax) return fail(bodyTooLarge(bytesMax))
      try {
        budget.hold(chunk.length)
      } catch (error) {
        return fail(error)
      }
      bytes += chunk.length
      chunks.push(chunk)
    }
    const onEnd = (): void => {
      settle()
      resolve(chunks.length === 1 ? chunks[0]! : chunks.length === 0 ? empty : joinChunks(chunks, bytes))
    }
    const onClose = (): void =>
      fail(new InputError('bad_request', 'cannot read the body: the connection closed before its end'))
    request.on('data', onData).on('end', onEnd).on('close', onClose)
    request.on('error', ignore)
  })
}

/** The result is in lent memory: the writer returns it once the batch made from it is in a block. */
export function joinChunks(chunks: readonly Uint8Array[], bytes: number): Buffer {
  const whole = Buffer.from(bufferPool.take(bytes), 0, bytes)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** An error is followed by `close`, which is the event that counts. */
function ignore(): void {}

export function bodyTooLarge(bytesMax: number): InputError {
  return new InputError('too_large', `body is larger than ${bytesMax} bytes; send smaller batches`)
}
