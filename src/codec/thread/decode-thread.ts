/** Entry of the decoding thread: decodes one body at a time and hands the result over page by page. */
import { parentPort } from 'node:worker_threads'
import { assert, InputError } from '../../base/errors.ts'
import { codecNamed } from '../codecs.ts'
import { pagesOf, type FromThread, type ToThread } from './decoded-pages.ts'

const port = parentPort
assert(port !== null, 'this file is the entry of a thread')

let pages: ReturnType<typeof pagesOf> | undefined

port.on('message', (message: ToThread) => {
  try {
    if (message.kind === 'decode') {
      const codec = codecNamed(message.codec)
      assert(codec !== undefined, `there is a codec ${message.codec}`)
      pages = pagesOf(codec.decode(message.body, { receivedAtMs: message.receivedAtMs }))
    }
    const next = pages?.next()
    assert(next?.done === false, 'no page is asked for after the last')
    if (next.value.page.kind === 'end') pages = undefined
    port.postMessage(next.value.page, next.value.transfer)
  } catch (error) {
    pages = undefined
    port.postMessage(failureOf(error))
  }
})

function failureOf(error: unknown): FromThread {
  if (error instanceof InputError) {
    return { kind: 'refused', code: error.code, message: error.message, at: error.at }
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  return { kind: 'failed', message, stack }
}
