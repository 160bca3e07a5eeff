/** SQLite with a client span for each statement, as the semantic conventions for databases have it. */
import { DatabaseSync } from 'node:sqlite'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'

const tracer = trace.getTracer('shop.database')

export class Database {
  #sqlite
  #path

  constructor(path) {
    this.#path = path
    this.#sqlite = new DatabaseSync(path, { timeout: 5000 })
    this.#sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  }

  /** Runs statements without spans: for making tables and filling them. */
  setUp(sql) {
    this.#sqlite.exec(sql)
  }

  /** Rows of a query. */
  all(sql, ...values) {
    return this.#traced(sql, (statement) => statement.all(...values))
  }

  /** First row of a query, or undefined. */
  get(sql, ...values) {
    return this.#traced(sql, (statement) => statement.get(...values))
  }

  /** A statement that changes rows. */
  run(sql, ...values) {
    return this.#traced(sql, (statement) => statement.run(...values))
  }

  close() {
    this.#sqlite.close()
  }

  #traced(sql, work) {
    const operation = sql.trim().split(/\s/, 1)[0].toUpperCase()
    const tables = [...sql.matchAll(/\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)/gi)].map((match) => match[1])
    const summary = [operation, ...tables].join(' ')
    const attributes = {
      'db.system.name': 'sqlite',
      'db.namespace': this.#path,
      'db.query.text': sql.replace(/\s+/g, ' ').trim(),
      'db.operation.name': operation,
      'db.query.summary': summary,
    }
    return tracer.startActiveSpan(summary, { kind: SpanKind.CLIENT, attributes }, (span) => {
      try {
        const result = work(this.#sqlite.prepare(sql))
        if (Array.isArray(result)) span.setAttribute('db.response.returned_rows', result.length)
        return result
      } catch (error) {
        span.recordException(error)
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
        throw error
      } finally {
        span.end()
      }
    })
  }
}
