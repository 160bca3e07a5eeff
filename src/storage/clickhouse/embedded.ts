/**
 * `Engine` over chDB: ClickHouse inside this process. A session does one thing at a time, so there is one for inserts,
 * one for statements, one for kills, and a few for queries. Inserts go through a file on a memory file system, as the engine
 * takes no binary buffer; the file never holds anything but blocks this program encoded.
 */
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { Session, drainPending } from 'chdb'
import { UnavailableError, messageOf } from '../../base/errors.ts'
import { BlockFiles } from './block-files.ts'
import type { Block, Engine, EngineState, QueryOptions } from './engine.ts'
import { QueryRun, timeoutError } from './engine/query-run.ts'
import { SessionPool } from './engine/session-pool.ts'
import { bindParameters, printText } from './literal.ts'

export interface EmbeddedOptions {
  /** Folder of the engine's data; made when missing. */
  readonly dir: string
  /** Memory the engine may use for all it does, bytes. */
  readonly memoryBytesMax: number
  readonly queryMemoryBytesMax: number
  readonly queryTimeoutMs: number
  /** Queries that run at once. */
  readonly readers: number
  /** Queries that wait for their turn; further ones are refused. */
  readonly queriesWaitingMax: number
}

export function openEmbedded(options: EmbeddedOptions): Engine {
  return new EmbeddedEngine(options)
}

/** More inserts or statements than this never wait: each part of clew has one under way at a time. */
const ownWaitingMax = 1000

class EmbeddedEngine implements Engine {
  readonly #options: EmbeddedOptions
  readonly #writer: SessionPool<Session>
  readonly #control: SessionPool<Session>
  /** Kills must not wait behind a long statement. */
  readonly #killer: SessionPool<Session>
  readonly #readers: SessionPool<Session>
  readonly #sessions: Session[] = []
  readonly #runs = new Set<QueryRun>()
  readonly #blocks: BlockFiles
  #closed: Promise<void> | undefined

  constructor(options: EmbeddedOptions) {
    this.#options = options
    fs.mkdirSync(options.dir, { recursive: true })
    this.#blocks = new BlockFiles(options.dir)
    const one = (what: string): SessionPool<Session> =>
      new SessionPool({ sessions: [this.#openSession([])], waitingMax: ownWaitingMax, what })
    this.#writer = one('insert')
    this.#control = one('run statement')
    this.#killer = one('stop query')
    const readOnly = [
      // 2 rather than 1: our own statements set their own limits and name themselves.
      '--readonly=2',
      // Answers are small: threads that format them in parallel cost more than they save.
      '--output_format_parallel_formatting=0',
      // Conditions hold the times asked for, so they rarely come twice; noting them costs a millisecond.
      '--use_query_condition_cache=0',
      `--max_memory_usage=${options.queryMemoryBytesMax}`,
    ]
    this.#readers = new SessionPool({
      sessions: Array.from({ length: options.readers }, () => this.#openSession(readOnly)),
      waitingMax: options.queriesWaitingMax,
      what: 'run query',
    })
  }

  #openSession(more: readonly string[]): Session {
    const connectionArgs = [
      `--max_server_memory_usage=${this.#options.memoryBytesMax}`,
      '--mark_cache_size=67108864',
      '--primary_index_cache_size=67108864',
      '--index_mark_cache_size=33554432',
      '--background_pool_size=1',
      // Quiet when idle: it looks at its memory every 50 ms otherwise, and keeps a hundred threads with their stacks.
      '--memory_worker_period_ms=1000',
      '--max_thread_pool_free_size=16',
      // Its compiler touches 16 MB of the engine's code and saves nothing that could be measured here.
      '--compile_expressions=0',
      '--compile_aggregate_expressions=0',
      '--compile_sort_description=0',
      '--output_format_json_quote_64bit_integers=1',
      ...more,
    ]
    try {
      const session = new Session(this.#options.dir, { connectionArgs })
      this.#sessions.push(session)
      return session
    } catch (error) {
      const message = `cannot open the store in ${this.#options.dir}: ${messageOf(error)}`
      throw new UnavailableError('store_unavailable', message, { cause: error, canRetry: false })
    }
  }

  async insert(block: Block): Promise<void> {
    const file = await this.#blocks.write(block.bytes)
    try {
      await this.#runOn(this.#writer, insertStatement(block, file), `cannot insert into ${block.table}`)
    } finally {
      fs.rmSync(file, { force: true })
    }
  }

  async query<Row extends readonly unknown[]>(sql: string, options: QueryOptions = {}): Promise<Row[]> {
    const { run, session, text } = await this.#startRun(sql, options)
    try {
      const result = await run.during(() => session.queryAsync(text, { format: 'JSONCompactEachRow' }))
      return parseRows<Row>(result.text())
    } catch (error) {
      throw run.stopReason ?? queryError(error)
    } finally {
      run.leave()
    }
  }

  async *stream<Row extends readonly unknown[]>(sql: string, options: QueryOptions = {}): AsyncGenerator<Row> {
    const { run, session, text } = await this.#startRun(sql, options)
    try {
      const stream = session.queryStream(text, { format: 'JSONCompactEachRow' })
      run.beforeEnd(() => stream.cancel())
      const chunks = stream[Symbol.asyncIterator]()
      for (;;) {
        const chunk = await run.during(() => chunks.next())
        if (chunk.done === true) return
        yield* parseRows<Row>(chunk.value.text())
      }
    } catch (error) {
      throw run.stopReason ?? queryError(error)
    } finally {
      run.leave()
    }
  }

  async execute(sql: string, options: QueryOptions = {}): Promise<void> {
    const { parameters } = options
    const text = parameters === undefined ? sql : bindParameters(sql, parameters)
    await this.#runOn(this.#control, text, 'cannot run statement')
  }

  async #runOn(pool: SessionPool<Session>, text: string, what: string): Promise<void> {
    const session = await pool.take()
    try {
      await session.queryAsync(text)
    } catch (error) {
      throw storeError(what, error)
    } finally {
      pool.release(session)
    }
  }

  async releaseMemory(): Promise<void> {
    for (const what of ['DROP MARK CACHE', 'DROP INDEX MARK CACHE', 'DROP PRIMARY INDEX CACHE', 'JEMALLOC PURGE']) {
      await this.execute(`SYSTEM ${what}`)
    }
  }

  state(): EngineState {
    return { queries: this.#readers.state(), inserts: this.#writer.state(), statements: this.#control.state() }
  }

  /** Takes a session, and counts the wait for it toward the time that the query has. */
  async #startRun(sql: string, options: QueryOptions): Promise<{ run: QueryRun; session: Session; text: string }> {
    const { parameters, signal } = options
    const bound = parameters === undefined ? sql : bindParameters(sql, parameters)
    const startedMs = performance.now()
    const session = await this.#readers.take({ signal, timeoutMs: this.#options.queryTimeoutMs })
    if (signal?.aborted === true) {
      this.#readers.release(session)
      throw signal.reason
    }
    const timeoutMs = Math.max(1, this.#options.queryTimeoutMs - (performance.now() - startedMs))
    const id = randomUUID()
    const run = new QueryRun({
      signal,
      timeoutMs,
      kill: () => this.#kill(id),
      onEnd: () => {
        this.#runs.delete(run)
        this.#readers.release(session)
      },
    })
    this.#runs.add(run)
    const settings = { log_comment: `'${id}'`, max_execution_time: Math.ceil(timeoutMs) / 1000, ...options.settings }
    const list = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
    return { run, session, text: `${bound} SETTINGS ${list.join(', ')}` }
  }

  /** Aborting a promise does not stop the engine: name the query to it from another session. SYNC would hang. */
  async #kill(id: string): Promise<void> {
    const text = `KILL QUERY WHERE Settings['log_comment'] = '${id}' ASYNC`
    await this.#runOn(this.#killer, text, 'cannot stop query')
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll()
    return this.#closed
  }

  async #closeAll(): Promise<void> {
    for (const pool of [this.#readers, this.#writer, this.#control]) pool.close()
    for (const run of this.#runs) run.stop(new UnavailableError('shutting_down', 'the store is closing'))
    // An exit with native work in flight can crash the process.
    await drainPending()
    this.#killer.close()
    for (const session of this.#sessions) session.close()
    await drainPending()
    this.#blocks.close()
  }
}

/**
 * The plain insert takes the token; a repeated one asks the table what it has. The engine notes the token of a part
 * before it gives the part its name, and does not sync that note: a kill between the two makes it refuse rows it does
 * not have, a power cut may make it take rows it has. What the table holds is never in doubt.
 */
function insertStatement({ table, structure, token, storedIf }: Block, file: string): string {
  const source = `file(${printText(file)}, Native, '${structure}')`
  if (storedIf === undefined) {
    return `INSERT INTO ${table} SELECT * FROM ${source}
      SETTINGS insert_deduplication_token='${token}', max_partitions_per_insert_block=0`
  }
  const row = `(${storedIf.join(', ')})`
  const [time] = storedIf
  return `INSERT INTO ${table} SELECT * FROM ${source} WHERE ${row} NOT IN (
      SELECT ${row} FROM ${table}
      WHERE ${time} >= (SELECT min(${time}) FROM ${source}) AND ${time} <= (SELECT max(${time}) FROM ${source})
        AND trace_id IN (SELECT trace_id FROM ${source}) AND ${row} IN (SELECT ${row} FROM ${source}))
    SETTINGS insert_deduplication_token='${token}-${randomUUID()}', max_partitions_per_insert_block=0`
}

function parseRows<Row>(text: string): Row[] {
  if (text === '') return []
  return JSON.parse(`[${text.trimEnd().replaceAll('\n', ',')}]`) as Row[]
}

/**
 * Errors of the world that pass by themselves, or when somebody sees to it; every other one lies in what was asked.
 * Numbers: ErrorCodes.cpp of ClickHouse.
 */
// prettier-ignore
const passing = new Set([
  24, 74, 75, 76, 87, 88, 107, 425, 521, // files: cannot write, read, open, seek, truncate; gone; system; rename
  173, 241, 439, // memory, threads
  236, 242, 394, // aborted, table read-only, cancelled
  159, 160, 202, 209, 210, 252, // timeouts, too slow, too many queries, network, too many parts
])

/** The engine's own words for a limit name neither the option behind it nor what to do. */
function queryError(error: unknown): UnavailableError {
  const number = numberOf(error)
  if (number === 159) return timeoutError(error)
  if (number === 241 && messageOf(error).includes('Query memory limit')) {
    const message = 'cannot run query: it needs more memory than query.memory; narrow the question, or raise that'
    return new UnavailableError('store_unavailable', message, { cause: error })
  }
  return storeError('cannot run query', error)
}

function numberOf(error: unknown): number {
  const code = /^Code: (\d+)|Code: (\d+)\./.exec(messageOf(error))
  return Number(code?.[1] ?? code?.[2] ?? (error as { clickhouseCode?: number }).clickhouseCode ?? 0)
}

function storeError(what: string, error: unknown): UnavailableError {
  const message = messageOf(error)
  const number = numberOf(error)
  if (number === 243 || /No space left on device|errno: 28/.test(message)) {
    return new UnavailableError('disk_full', `${what}: the disk is full; free some space or lower retention`, {
      cause: error,
    })
  }
  const canRetry = passing.has(number) || /errno: \d|filesystem error/.test(message)
  const kind = number === 159 ? 'timeout' : 'store_unavailable'
  return new UnavailableError(kind, `${what}: ${message.slice(0, 500)}`, { cause: error, canRetry })
}
