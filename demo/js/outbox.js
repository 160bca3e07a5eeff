/**
 * Orders and the queue of messages about them, in one SQLite file: a transactional outbox. The sender's context travels
 * in the row, as it would in the headers of a message, so that the consumer can link its work to it.
 */
import { join } from 'node:path'
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import { Database } from './database.js'

const tracer = trace.getTracer('shop.outbox')
const destination = 'orders.placed'
const messaging = { 'messaging.system': 'outbox', 'messaging.destination.name': destination }

export class Outbox {
  #database = new Database(join(process.env.SHOP_DATA, 'orders.sqlite'))

  constructor() {
    this.#database.setUp(`
      CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, user TEXT NOT NULL, cents INTEGER NOT NULL, items TEXT);
      CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, headers TEXT NOT NULL);
    `)
  }

  /** Stores an order and the message about it; answers the order's id. */
  place(order) {
    const sql = 'INSERT INTO orders (user, cents, items) VALUES (?, ?, ?)'
    const id = Number(this.#database.run(sql, order.user, order.cents, JSON.stringify(order.items)).lastInsertRowid)
    const attributes = { ...messaging, 'messaging.operation.type': 'send', 'messaging.message.id': String(id) }
    tracer.startActiveSpan(`send ${destination}`, { kind: SpanKind.PRODUCER, attributes }, (span) => {
      const headers = {}
      propagation.inject(context.active(), headers)
      this.#database.run('INSERT INTO outbox (order_id, headers) VALUES (?, ?)', id, JSON.stringify(headers))
      span.end()
    })
    return id
  }

  /**
   * Takes up to `max` messages and gives their orders to `work` within one consumer span that links to every sender.
   * A look that finds nothing makes no spans. Answers how many there were.
   */
  async process(max, work) {
    const messages = context.with(suppressTracing(context.active()), () => this.#take(max))
    if (messages.length === 0) return 0
    const links = messages.map(({ headers }) => ({
      context: trace.getSpanContext(propagation.extract(ROOT_CONTEXT, JSON.parse(headers))),
    }))
    const attributes = {
      ...messaging,
      'messaging.operation.type': 'process',
      'messaging.batch.message_count': messages.length,
    }
    const options = { kind: SpanKind.CONSUMER, attributes, links, root: true }
    await tracer.startActiveSpan(`process ${destination}`, options, async (span) => {
      try {
        for (const { id, user, items } of messages) await work({ id, user, items: JSON.parse(items) })
      } finally {
        span.end()
      }
    })
    return messages.length
  }

  #take(max) {
    const messages = this.#database.all(
      `SELECT outbox.id AS message, headers, orders.id AS id, user, items
       FROM outbox JOIN orders ON orders.id = outbox.order_id ORDER BY outbox.id LIMIT ?`,
      max,
    )
    for (const { message } of messages) this.#database.run('DELETE FROM outbox WHERE id = ?', message)
    return messages
  }

  close() {
    this.#database.close()
  }
}
