/**
 * Decoding that never blocks the event loop: small bodies are decoded immediately, because passing them to a thread
 * would cost more; large ones are decoded in a thread, one after the other. The thread starts with the first large body
 * and ends when none has come for a while.
 *
 * Bounds: callers reserve the room for a body (capture/memory-gate.ts) until it is decoded, so the bodies waiting here
 * fit in that bound. When a client disconnects, its body is still decoded; its memory is freed after that.
 */
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { InputError } from '../../base/errors.ts'
import { Turn } from '../../base/turn.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { codecNamed } from '../codecs.ts'
import { PageJoiner, type FromThread, type ToThread } from './decoded-pages.ts'

/** For codecs that set no other limit. The worst content takes 200 ns a byte: 50 ms. */
const inlineBytesMax = 1 << 18
const idleMs = 30_000
/** Bytes copied at once: about a millisecond. */
const copyBytes = 1 << 22

export class LargeBodies {
  #worker: Worker | undefined
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #idleTimer: NodeJS.Timeout | undefined
  #closed = false
  /** Bodies that were decoded in the thread. */
  decoded = 0

  /**
   * As `Codec.decode`, or a promise of the same for a large body. The batch of a large body has its own arena: the
   * caller may reuse `body`.
   */
  decode(codec: Codec, body: Uint8Array, context: DecodeContext): Decoded | Promise<Decoded> {
    if (body.length <= (codec.inlineBytesMax ?? inlineBytesMax) || codecNamed(codec.name) !== codec)
      return codec.decode(body, context)
    return this.#queue(codec.name, body, context.receivedAtMs)
  }

  async #queue(codec: string, body: Uint8Array, receivedAtMs: number): Promise<Decoded> {
    this.#waiting++
    clearTimeout(this.#idleTimer)
    const turn = this.#last.then(async () => await this.#decodeInThread(codec, body, receivedAtMs))
    this.#last = turn.catch(() => {})
    try {
      return await turn
    } finally {
      if (--this.#waiting === 0 && !this.#closed) {
        this.#idleTimer = setTimeout(() => void this.#end(), idleMs)
        this.#idleTimer.unref()
      }
    }
  }

  async #decodeInThread(codec: string, body: Uint8Array, receivedAtMs: number): Promise<Decoded> {
    const copy = await copyInTurns(body)
    const worker = (this.#worker ??= this.#start())
    const joiner = new PageJoiner()
    worker.ref()
    try {
      let page = await ask(worker, { kind: 'decode', codec, body: copy, receivedAtMs }, [copy.buffer])
      for (; page.kind !== 'end'; page = await ask(worker, { kind: 'more' })) {
        if (page.kind === 'refused') throw refusalOf(page)
        if (page.kind === 'failed') throw Object.assign(new Error(page.message), { stack: page.stack })
        joiner.add(page)
      }
      this.decoded++
      return joiner.finish()
    } finally {
      worker.unref()
    }
  }

  #start(): Worker {
    const entry = path.join(import.meta.dirname, `decode-thread${path.extname(import.meta.filename)}`)
    const worker = new Worker(entry)
    const forget = (): void => {
      if (this.#worker === worker) this.#worker = undefined
    }
    // Whoever waits for a reply has their own listener.
    worker.on('error', forget)
    worker.on('exit', forget)
    return worker
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  /** Resolves when all given bodies are decoded and the thread has ended. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#idleTimer)
    await this.#last
    await this.#end()
  }
}

/** Resolves with the reply; rejects when the thread ends instead, for example when it runs out of memory. */
function ask(worker: Worker, message: ToThread, transfer: ArrayBuffer[] = []): Promise<FromThread> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
    }
    const onMessage = (page: FromThread): void => {
      settle()
      resolve(page)
    }
    const onError = (error: Error): void => {
      settle()
      reject(error)
    }
    const onExit = (): void => onError(new Error('the decoding thread has ended'))
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.on('exit', onExit)
    worker.postMessage(message, transfer)
  })
}

function refusalOf({ code, message, at }: FromThread & { kind: 'refused' }): InputError {
  return new InputError(code, message, at === undefined ? {} : { at })
}

async function copyInTurns(body: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(Buffer.allocUnsafeSlow(body.length).buffer)
  const turn = new Turn()
  for (let at = 0; at < body.length; at += copyBytes) {
    if (turn.isOver) await turn.next()
    copy.set(body.subarray(at, at + copyBytes), at)
  }
  return copy
}
