/** Requests from one service to another. */
import { setTimeout as sleep } from 'node:timers/promises'
import { HttpError, log } from './service.js'

const timeoutMs = 5000

/**
 * Sends a request and answers its JSON; throws `HttpError` with the callee's status (503 when it cannot be reached).
 * With `attemptsMax`, a 503 is tried again after 50, 100, 200 … ms: no jitter and no budget, as it is so often written.
 */
export async function call(url, { method = 'GET', body, headers = {}, attemptsMax = 1 } = {}) {
  for (let attempt = 1; ; attempt++) {
    const error = await send(url, { method, body, headers: { ...headers, ...resend(attempt) } }).then(
      (answer) => ({ answer }),
      (thrown) => ({ thrown }),
    )
    if (error.thrown === undefined) return error.answer
    if (error.thrown.status !== 503 || attempt >= attemptsMax) throw error.thrown
    const delayMs = 50 * 2 ** (attempt - 1)
    log.warn(`${method} ${new URL(url).pathname} answered 503, trying again in ${delayMs} ms`, {
      'retry.attempt': attempt,
      'retry.delay_ms': delayMs,
    })
    await sleep(delayMs)
  }
}

const resend = (attempt) => (attempt > 1 ? { 'x-resend-count': String(attempt - 1) } : {})

async function send(url, { method, body, headers }) {
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause) => {
    throw new HttpError(503, `cannot reach ${new URL(url).host}: ${cause.message}`, { cause })
  })
  const answer = await response.json().catch(() => ({}))
  if (!response.ok) throw new HttpError(response.status, answer.error ?? `${url} answered ${response.status}`)
  return answer
}
