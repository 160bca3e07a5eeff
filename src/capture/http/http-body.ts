/** Takes the body of an HTTP request off the wire as it came, within a size and a budget shared with other requests. */
import type { IncomingMessage } from 'node:http'
import { bufferPool } from '../../base/buffer-pool.ts'
import { InputError } from '../../base/errors.ts'
import type { ByteBudget } from '../byte-budget.ts'

const empty = Buffer.alloc(0)

/**
 * Resolves with the whole body. Rejects with `InputError` `too_large` as soon as that is known, `bad_request` when the
 * client goes away before the end, `UnavailableError` when the budget is used up. What still comes is read and thrown
 * away, so that the client gets to see the answer.
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

/** In memory that is lent: the writer gives it back once the batch made of it is in a block. */
export function joinChunks(chunks: readonly Uint8Array[], bytes: number): Buffer {
  const whole = Buffer.from(bufferPool.take(bytes), 0, bytes)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** An error is followed by `close`, which is what counts. */
function ignore(): void {}

export function bodyTooLarge(bytesMax: number): InputError {
  return new InputError('too_large', `body is larger than ${bytesMax} bytes; send smaller batches`)
}
