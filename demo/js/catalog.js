/** Products, stock and search over SQLite. Two faults are built in: an N+1 in the list, a missing index in the search. */
import { join } from 'node:path'
import { Database } from './database.js'
import { HttpError, log, serve } from './service.js'

const productCount = 2_000
/** Enough that joining every review takes a noticeable part of a second. */
const reviewCount = 150_000
const pageSize = 20

const database = new Database(join(process.env.SHOP_DATA, 'catalog.sqlite'))
database.setUp(`
  DROP TABLE IF EXISTS products;
  DROP TABLE IF EXISTS stock;
  DROP TABLE IF EXISTS reviews;
  CREATE TABLE products (id INTEGER PRIMARY KEY, title TEXT NOT NULL, cents INTEGER NOT NULL, discount TEXT);
  CREATE TABLE stock (product_id INTEGER PRIMARY KEY, quantity INTEGER NOT NULL);
  CREATE TABLE reviews (id INTEGER PRIMARY KEY, product_title TEXT NOT NULL, stars INTEGER NOT NULL);
  WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < ${productCount})
  INSERT INTO products SELECT i,
    CASE i % 5 WHEN 0 THEN 'lamp' WHEN 1 THEN 'chair' WHEN 2 THEN 'kettle' WHEN 3 THEN 'rug' ELSE 'shelf' END || ' no. ' || i,
    500 + (i * 7919) % 20000,
    CASE WHEN i % 17 = 0 THEN NULL ELSE json_object('percent', i % 4 * 5) END
  FROM n;
  INSERT INTO stock SELECT id, 1000000 FROM products;
  WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < ${reviewCount})
  INSERT INTO reviews SELECT i, (SELECT title FROM products WHERE id = 1 + (i * 31) % ${productCount}), 1 + (i * 13) % 5 FROM n;
`)

/** The N+1: one statement for the page, then one more for the stock of each product on it. */
function listProducts(request) {
  const page = Math.max(0, Number(request.query.page ?? 0) || 0)
  const products = database.all('SELECT id, title, cents FROM products LIMIT ? OFFSET ?', pageSize, page * pageSize)
  for (const product of products) {
    product.quantity = database.get('SELECT quantity FROM stock WHERE product_id = ?', product.id).quantity
  }
  return { products }
}

/**
 * The slow query: reviews refer to products by title and have no index on it, so SQLite sorts all reviews into an index
 * of its own, for this one statement, every time.
 */
function search(request) {
  const pattern = `%${request.query.q ?? ''}%`
  if (request.query.sort !== 'rating') {
    return { products: database.all('SELECT id, title, cents FROM products WHERE title LIKE ? LIMIT 20', pattern) }
  }
  const startedAt = performance.now()
  const products = database.all(
    `SELECT title, avg(stars) AS rating FROM products JOIN reviews ON product_title = title
     WHERE title LIKE ? GROUP BY title ORDER BY rating DESC LIMIT 20`,
    pattern,
  )
  const durationMs = Math.round(performance.now() - startedAt)
  if (durationMs > 100) log.warn(`search by rating took ${durationMs} ms`, { 'search.text': String(request.query.q) })
  return { products }
}

function getProduct(request) {
  const product = database.get(
    'SELECT id, title, cents, discount FROM products WHERE id = ?',
    Number(request.params.id),
  )
  if (product === undefined) throw new HttpError(404, `no product ${request.params.id}`)
  return { ...product, discount: JSON.parse(product.discount) }
}

function reserve(request) {
  for (const { productId, quantity } of request.body.items) {
    database.run('UPDATE stock SET quantity = quantity - ? WHERE product_id = ?', quantity, productId)
  }
  return { reserved: request.body.items.length }
}

await serve(
  {
    'GET /products': listProducts,
    'GET /products/:id': getProduct,
    'GET /search': search,
    'POST /reservations': reserve,
  },
  { stop: async () => database.close() },
)
