/** Turns a cart into a paid order. The fault built in: it repeats refused payments, and so does its caller. */
import { call } from './call.js'
import { Outbox } from './outbox.js'
import { HttpError, log, serve } from './service.js'

const outbox = new Outbox()

async function placeOrder(request) {
  const { user, key } = request.body
  const { items } = await call(`${process.env.CART_URL}/carts/${user}`)
  if (items.length === 0) throw new HttpError(409, 'the cart is empty')
  const cents = items.reduce((sum, item) => sum + item.cents * item.quantity, 0)
  await call(`${process.env.PAYMENT_URL}/charges`, { method: 'POST', body: { key, cents }, attemptsMax: 5 })
  const id = outbox.place({ user, cents, items })
  await call(`${process.env.CART_URL}/carts/${user}`, { method: 'DELETE' })
  log.info(`order ${id} placed`, { 'order.id': id, 'order.cents': cents, 'order.items': items.length })
  return { id, cents }
}

await serve({ 'POST /orders': placeOrder }, { stop: async () => outbox.close() })
