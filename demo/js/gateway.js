/** What shoppers talk to. Goes on without the services in Python: guests instead of accounts, bestsellers for all. */
import { trace } from '@opentelemetry/api'
import { call } from './call.js'
import { log, serve } from './service.js'

const { CATALOG_URL, CART_URL, ORDERS_URL, ACCOUNTS_URL, RECOMMENDATIONS_URL } = process.env

async function home() {
  const [{ products }, recommended] = await Promise.all([call(`${CATALOG_URL}/products`), recommend('guest')])
  return { products, recommended }
}

const browse = (request) => call(`${CATALOG_URL}/products?page=${Number(request.query.page ?? 0)}`)
const product = (request) => call(`${CATALOG_URL}/products/${encodeURIComponent(request.params.id)}`)

function search(request) {
  const { q = '', sort = '' } = request.query
  return call(`${CATALOG_URL}/search?${new URLSearchParams({ q, sort })}`)
}

async function login(request) {
  const { user, password } = request.body
  if (ACCOUNTS_URL) return call(`${ACCOUNTS_URL}/login`, { method: 'POST', body: { user, password } })
  markDegraded('no accounts service, going on as a guest')
  return { user: 'guest' }
}

/** Falls back to the first page of the catalog when the recommendations do not answer. */
async function recommend(user) {
  if (RECOMMENDATIONS_URL) {
    try {
      return (await call(`${RECOMMENDATIONS_URL}/recommendations/${encodeURIComponent(user)}`)).products
    } catch (error) {
      if (error.status !== 503) throw error
    }
  }
  markDegraded('no recommendations service, showing bestsellers')
  return (await call(`${CATALOG_URL}/search?q=lamp`)).products.slice(0, 5)
}

function markDegraded(reason) {
  trace.getActiveSpan()?.setAttribute('shop.degraded', true)
  log.warn(reason)
}

function addToCart(request) {
  const { user, productId, quantity } = request.body
  return call(`${CART_URL}/carts/${encodeURIComponent(user)}/items`, { method: 'POST', body: { productId, quantity } })
}

/** Repeats what orders itself has already repeated: ten attempts at one payment in the worst case. */
const checkout = (request) => call(`${ORDERS_URL}/orders`, { method: 'POST', body: request.body, attemptsMax: 2 })

await serve({
  'GET /': home,
  'GET /products': browse,
  'GET /products/:id': product,
  'GET /search': search,
  'GET /recommendations/:user': (request) => recommend(request.params.user).then((products) => ({ products })),
  'POST /login': login,
  'POST /cart': addToCart,
  'POST /checkout': checkout,
})
