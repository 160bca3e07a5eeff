/** Carts in memory. The fault built in: it takes for granted that every product has a discount. */
import { call } from './call.js'
import { log, serve } from './service.js'

const cartsMax = 1_000
const carts = new Map()

async function addItem(request) {
  const { user } = request.params
  const { productId, quantity } = request.body
  const product = await call(`${process.env.CATALOG_URL}/products/${productId}`)
  // Products without a discount have null here: a TypeError for one product in seventeen.
  const cents = Math.round((product.cents * (100 - product.discount.percent)) / 100)
  const items = carts.get(user) ?? []
  items.push({ productId, quantity, cents })
  carts.delete(user)
  carts.set(user, items)
  if (carts.size > cartsMax) carts.delete(carts.keys().next().value)
  log.info(`${quantity} x ${product.title} added`, { 'cart.items': items.length })
  return { items }
}

async function getCart(request) {
  return { items: carts.get(request.params.user) ?? [] }
}

async function emptyCart(request) {
  return { emptied: carts.delete(request.params.user) }
}

await serve({
  'POST /carts/:user/items': addItem,
  'GET /carts/:user': getCart,
  'DELETE /carts/:user': emptyCart,
})
