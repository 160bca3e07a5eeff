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
import type { Block, Engine, QueryOptions } from './engine.ts'
import { bindParameters, printText } from './literal.ts'

export interface EmbeddedOptions {
  /** Folder of the engine's data; made when missing. */
  readonly dir: string
  /** Memory the engine may use for all it does, bytes. */
  readonly memoryBytesMax: number
  readonly queryMemoryBytesMax: number
  readonly queryTimeoutMs: number
  readonly readers: number
}

interface Slot {
  readonly session: Session
  busy: boolean
}

export function openEmbedded(options: EmbeddedOptions): Engine {
  return new EmbeddedEngine(options)
}

class EmbeddedEngine implements Engine {
  readonly #options: EmbeddedOptions
  readonly #writer: Slot
  readonly #control: Slot
  /** Kills must not wait behind a long statement. */
  readonly #killer: Slot
  readonly #readers: Slot[]
  readonly #waiting = new Map<Slot | 'reader', (() => void)[]>()
  readonly #blocks: BlockFiles
  #closed: Promise<void> | undefined

  constructor(options: EmbeddedOptions) {
    this.#options = options
    fs.mkdirSync(options.dir, { recursive: true })
    this.#blocks = new BlockFiles(options.dir)
    this.#writer = this.#openSession([])
    this.#control = this.#openSession([])
    this.#killer = this.#openSession([])
    const readOnly = [
      // 2 rather than 1: our own statements set their own limits and name themselves.
      '--readonly=2',
      // Answers are small: threads that format them in parallel cost more than they save.
      '--output_format_parallel_formatting=0',
      // Conditions hold the times asked for, so they rarely come twice; noting them costs a millisecond.
      '--use_query_condition_cache=0',
      `--max_execution_time=${Math.ceil(options.queryTimeoutMs / 1000)}`,
      `--max_memory_usage=${options.queryMemoryBytesMax}`,
    ]
    this.#readers = Array.from({ length: options.readers }, () => this.#openSession(readOnly))
  }

  #openSession(more: readonly string[]): Slot {
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
      return { session: new Session(this.#options.dir, { connectionArgs }), busy: false }
    } catch (error) {
      const message = `cannot open the store in ${this.#options.dir}: ${messageOf(error)}`
      throw new UnavailableError('store_unavailable', message, { cause: error, canRetry: false })
    }
  }

  async insert(block: Block): Promise<void> {
    const file = await this.#blocks.write(block.bytes)
    try {
      const slot = await this.#take(this.#writer)
      try {
        await slot.session.queryAsync(insertStatement(block, file))
      } catch (error) {
        throw storeError(`cannot insert into ${block.table}`, error)
      } finally {
        this.#release(slot)
      }
    } finally {
      fs.rmSync(file, { force: true })
    }
  }

  async query<Row extends readonly unknown[]>(sql: string, options: QueryOptions = {}): Promise<Row[]> {
    const id = randomUUID()
    const text = this.#statement(sql, options, id)
    const slot = await this.#takeReader(options.signal)
    const stop = this.#killOnAbort(options.signal, id)
    try {
      const result = await slot.session.queryAsync(text, { format: 'JSONCompactEachRow' })
      options.signal?.throwIfAborted()
      return parseRows<Row>(result.text())
    } catch (error) {
      options.signal?.throwIfAborted()
      throw queryError(error)
    } finally {
      stop()
      this.#release(slot)
    }
  }

  async *stream<Row extends readonly unknown[]>(sql: string, options: QueryOptions = {}): AsyncGenerator<Row> {
    const id = randomUUID()
    const text = this.#statement(sql, options, id)
    const slot = await this.#takeReader(options.signal)
    const stop = this.#killOnAbort(options.signal, id)
    try {
      for await (const chunk of slot.session.queryStream(text, { format: 'JSONCompactEachRow' })) {
        options.signal?.throwIfAborted()
        yield* parseRows<Row>(chunk.text())
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      throw queryError(error)
    } finally {
      stop()
      this.#release(slot)
    }
  }

  async execute(sql: string, options: QueryOptions = {}): Promise<void> {
    await this.#executeOn(
      this.#control,
      options.parameters === undefined ? sql : bindParameters(sql, options.parameters),
    )
  }

  async #executeOn(session: Slot, text: string): Promise<void> {
    const slot = await this.#take(session)
    try {
      await slot.session.queryAsync(text)
    } catch (error) {
      throw storeError('cannot run statement', error)
    } finally {
      this.#release(slot)
    }
  }

  async releaseMemory(): Promise<void> {
    for (const what of ['DROP MARK CACHE', 'DROP INDEX MARK CACHE', 'DROP PRIMARY INDEX CACHE', 'JEMALLOC PURGE']) {
      await this.execute(`SYSTEM ${what}`)
    }
  }

  #statement(sql: string, options: QueryOptions, id: string): string {
    const bound = options.parameters === undefined ? sql : bindParameters(sql, options.parameters)
    const settings = Object.entries({ log_comment: `'${id}'`, ...options.settings }).map(([k, v]) => `${k}=${v}`)
    return `${bound} SETTINGS ${settings.join(', ')}`
  }

  /** Aborting a promise does not stop the engine: name the query to it from another session. SYNC would hang. */
  #killOnAbort(signal: AbortSignal | undefined, id: string): () => void {
    if (signal === undefined) return () => {}
    const kill = (): void => {
      const sql = `KILL QUERY WHERE Settings['log_comment'] = '${id}' ASYNC`
      this.#executeOn(this.#killer, sql).catch(() => {})
    }
    signal.addEventListener('abort', kill, { once: true })
    return () => signal.removeEventListener('abort', kill)
  }

  async #take(slot: Slot): Promise<Slot> {
    if (this.#closed !== undefined) throw new UnavailableError('shutting_down', 'the store is closing')
    while (slot.busy) await this.#wait(slot)
    slot.busy = true
    return slot
  }

  async #takeReader(signal: AbortSignal | undefined): Promise<Slot> {
    for (;;) {
      if (this.#closed !== undefined) throw new UnavailableError('shutting_down', 'the store is closing')
      signal?.throwIfAborted()
      const free = this.#readers.find((slot) => !slot.busy)
      if (free !== undefined) {
        free.busy = true
        return free
      }
      await this.#wait('reader')
    }
  }

  #wait(key: Slot | 'reader'): Promise<void> {
    return new Promise((resolve) => {
      const queue = this.#waiting.get(key)
      if (queue === undefined) this.#waiting.set(key, [resolve])
      else queue.push(resolve)
    })
  }

  #release(slot: Slot): void {
    slot.busy = false
    const key = this.#readers.includes(slot) ? 'reader' : slot
    this.#waiting.get(key)?.shift()?.()
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll()
    return this.#closed
  }

  async #closeAll(): Promise<void> {
    const slots = [...this.#readers, this.#writer, this.#control, this.#killer]
    for (const queue of this.#waiting.values()) for (const wake of queue.splice(0)) wake()
    // An exit with native work in flight can crash the process.
    await drainPending()
    for (const slot of slots) slot.session.close()
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
  if (number === 159) {
    const message = 'cannot run query: it takes longer than query.timeout; narrow the question, or raise that'
    return new UnavailableError('timeout', message, { cause: error })
  }
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
