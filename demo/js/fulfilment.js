/** Ships what was ordered: takes messages from the outbox in batches, apart from any request. */
import { setTimeout as sleep } from 'node:timers/promises'
import { SpanStatusCode, trace } from '@opentelemetry/api'
import { call } from './call.js'
import { Outbox } from './outbox.js'
import { log, serve } from './service.js'

const batchMax = 10
const pauseMs = 700
const tracer = trace.getTracer('shop.fulfilment')
const outbox = new Outbox()
const accountsUrl = process.env.ACCOUNTS_URL
let isRunning = true

function ship(order) {
  return tracer.startActiveSpan('ship order', { attributes: { 'order.id': order.id } }, async (span) => {
    try {
      await call(`${process.env.CATALOG_URL}/reservations`, { method: 'POST', body: { items: order.items } })
      const address = accountsUrl
        ? await call(`${accountsUrl}/addresses/${order.user}`)
        : { city: 'the shop, to be fetched' }
      log.info(`order ${order.id} shipped to ${address.city}`, { 'order.id': order.id })
    } catch (error) {
      span.recordException(error)
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
      log.error(`order ${order.id} not shipped: ${error.message}`, { 'order.id': order.id })
    } finally {
      span.end()
    }
  })
}

async function work() {
  while (isRunning) {
    const count = await outbox.process(batchMax, ship).catch((error) => {
      log.error(`cannot take orders: ${error.message}`)
      return 0
    })
    if (count < batchMax) await sleep(pauseMs)
  }
}

const working = work()
await serve(
  {},
  {
    stop: async () => {
      isRunning = false
      await working
      outbox.close()
    },
  },
)
