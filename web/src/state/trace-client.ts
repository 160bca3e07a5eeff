/**
 * The page's side of the trace worker. Each trace has its own worker, which ends with it: leaving a huge trace stops
 * its work.
 */
import { ApiError, noAnswer } from './api.ts'
import type { Answers, FromWorker, ToWorker } from './trace-messages.ts'

type Question = { [Ask in keyof Answers]: Omit<Extract<ToWorker, { ask: Ask }>, 'id'> & { ask: Ask } }

/** A worker whose script could not be loaded gives no reason; a worker that started and then failed does. */
function stopped(message: string | undefined): ApiError {
  if (!message) return noAnswer('open the trace')
  return new ApiError({ status: -1, what: 'lay out the trace', why: message, next: 'Retry, or reload the page.' })
}

export class TraceClient {
  #worker: Worker | undefined
  #failure: ApiError | undefined
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  #nextId = 1

  #start(): Worker {
    const worker = new Worker(new URL('./trace-worker.ts', import.meta.url), { type: 'module' })
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      const waiting = this.#waiting.get(data.id)
      this.#waiting.delete(data.id)
      if ('failure' in data) waiting?.reject(new ApiError(data.failure))
      else waiting?.resolve(data.answer as never)
    })
    worker.addEventListener('error', ({ message }) => this.#end(stopped(message)))
    return worker
  }

  #end(failure: ApiError): void {
    this.#worker?.terminate()
    this.#worker = undefined
    this.#failure = failure
    for (const { reject } of this.#waiting.values()) reject(failure)
    this.#waiting.clear()
  }

  /**
   * Rejects with `ApiError`; never settles after `close`. After a failure only `open` works, because a new worker has
   * no trace.
   */
  ask<Ask extends keyof Answers>(question: Question[Ask]): Promise<Answers[Ask]> {
    if (this.#failure && question.ask !== 'open') return Promise.reject(this.#failure)
    this.#failure = undefined
    const worker = (this.#worker ??= this.#start())
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: never) => void, reject })
      worker.postMessage({ ...question, id })
    })
  }

  close(): void {
    this.#worker?.terminate()
    this.#waiting.clear()
  }
}
