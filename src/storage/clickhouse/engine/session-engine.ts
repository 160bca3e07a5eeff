/**
 * `Engine` over sessions of a ClickHouse that clew runs itself. A session does one thing at a time, so there is one for
 * inserts, one for statements, one for kills, and a few for queries. Inserts go through a file on a memory file system, as
 * the engine takes no binary buffer; the file never holds anything but blocks this program encoded.
 */
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { UnavailableError } from '../../../base/errors.ts'
import { BlockFiles } from '../block-files.ts'
import type { Block, Engine, EngineAbilities, EngineState, QueryOptions } from '../engine.ts'
import { bindParameters } from '../literal.ts'
import { queryError, storeError } from './engine-errors.ts'
import { dropRepeated, fileSource, insertStatements, printSettings } from './insert-statement.ts'
import { QueryRun } from './query-run.ts'
import { SessionPool } from './session-pool.ts'
import type { Sessions } from './sessions.ts'

export interface SessionEngineOptions {
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

interface StatementOptions {
  /** Begins the messages of errors: `cannot insert into spans`. */
  readonly what: string
  readonly signal?: AbortSignal | undefined
  readonly after?: string
}

/** Places of the sessions; those from `firstReader` on are for queries. */
const writer = 0
const control = 1
/** Kills must not wait behind a long statement. */
const killer = 2
const firstReader = 3

export function sessionArguments(options: SessionEngineOptions): string[][] {
  const all = [
    `--max_server_memory_usage=${options.memoryBytesMax}`,
    '--mark_cache_size=67108864',
    '--primary_index_cache_size=67108864',
    '--index_mark_cache_size=33554432',
    '--background_pool_size=1',
    // Keeps it quiet when idle. Otherwise it checks its memory every 50 ms, and keeps a hundred threads with their
    // stacks.
    '--memory_worker_period_ms=1000',
    '--max_thread_pool_free_size=16',
    // Its compiler touches 16 MB of the engine's code and saves nothing that could be measured here.
    '--compile_expressions=0',
    '--compile_aggregate_expressions=0',
    '--compile_sort_description=0',
    '--output_format_json_quote_64bit_integers=1',
  ]
  const readOnly = [
    ...all,
    // 2 rather than 1, because our own statements set their own limits and name themselves.
    '--readonly=2',
    // Answers are small: threads that format them in parallel cost more than they save.
    '--output_format_parallel_formatting=0',
    // Conditions contain the times of the query, so they rarely come twice; remembering them costs a millisecond.
    '--use_query_condition_cache=0',
    `--max_memory_usage=${options.queryMemoryBytesMax}`,
  ]
  return [all, all, all, ...Array.from({ length: options.readers }, () => readOnly)]
}

/** More inserts or statements than this never wait: each part of clew has one under way at a time. */
const ownWaitingMax = 1000
/** How long a stopped query may go on past its time before the engine's process is started again. */
const hungGraceMs = 30_000
const hungPeriodMs = 5000
/** Pause between two attempts to stop a statement. */
const killPauseMs = 500

export class SessionEngine implements Engine {
  /** Exclusive, because its folder is locked. */
  readonly abilities: EngineAbilities = { exclusive: true, releasesMemory: true }
  readonly #options: SessionEngineOptions
  readonly #sessions: Sessions
  readonly #writer = poolOf([writer], ownWaitingMax, 'insert')
  readonly #control = poolOf([control], ownWaitingMax, 'run statement')
  readonly #killer = poolOf([killer], ownWaitingMax, 'stop query')
  readonly #readers: SessionPool<number>
  readonly #runs = new Set<QueryRun>()
  readonly #blocks: BlockFiles
  readonly #hungTimer: NodeJS.Timeout
  #closed: Promise<void> | undefined

  constructor(options: SessionEngineOptions, sessions: Sessions) {
    this.#options = options
    this.#sessions = sessions
    this.#blocks = new BlockFiles(options.dir)
    const readers = Array.from({ length: options.readers }, (_, i) => firstReader + i)
    this.#readers = poolOf(readers, options.queriesWaitingMax, 'run query')
    this.#hungTimer = setInterval(() => this.#endHung(), hungPeriodMs).unref()
  }

  #endHung(): void {
    const { longestHoldMs } = this.#readers.state()
    if (longestHoldMs < this.#options.queryTimeoutMs + hungGraceMs) return
    this.#sessions.restart(`a query was stopped and did not end, for ${Math.round(longestHoldMs / 1000)} s`)
  }

  async insert(block: Block): Promise<void> {
    const file = await this.#blocks.write(block.bytes)
    const statements = insertStatements(block, fileSource(file, block.structure))
    const what = `cannot insert into ${block.table}`
    try {
      await this.#runOn(this.#writer, statements, { what, after: dropRepeated, signal: block.signal })
    } finally {
      fs.rmSync(file, { force: true })
    }
  }

  async query<Row extends readonly unknown[]>(sql: string, options: QueryOptions = {}): Promise<Row[]> {
    const { run, session, text } = await this.#startRun(sql, options)
    try {
      return parseRows<Row>(await run.during(() => this.#sessions.run(session, text)))
    } catch (error) {
      throw run.stopReason ?? queryError(error)
    } finally {
      run.leave()
    }
  }

  async queryBlocks(sql: string, options: QueryOptions = {}): Promise<Uint8Array> {
    const { run, session, text } = await this.#startRun(sql, options)
    try {
      return await run.during(() => this.#sessions.runForBytes(session, `${text} FORMAT Native`))
    } catch (error) {
      throw run.stopReason ?? queryError(error)
    } finally {
      run.leave()
    }
  }

  async *stream<Row extends readonly unknown[]>(sql: string, options: QueryOptions = {}): AsyncGenerator<Row> {
    const { run, session, text } = await this.#startRun(sql, options)
    try {
      const stream = this.#sessions.stream(session, text)
      run.beforeEnd(() => stream.cancel())
      for (;;) {
        const rows = await run.during(() => stream.next())
        if (rows === undefined) return
        yield* parseRows<Row>(rows)
      }
    } catch (error) {
      throw run.stopReason ?? queryError(error)
    } finally {
      run.leave()
    }
  }

  async execute(sql: string, options: QueryOptions = {}): Promise<void> {
    const { parameters, signal, settings = {} } = options
    const bound = parameters === undefined ? sql : bindParameters(sql, parameters)
    const text = `${bound} ${printSettings(settings)}`.trimEnd()
    await this.#runOn(this.#control, [text], { what: 'cannot run statement', signal })
  }

  /** Runs statements in order on one session. When there are several and one fails, `after` is run as well. */
  async #runOn(pool: SessionPool<number>, statements: readonly string[], options: StatementOptions): Promise<void> {
    const { what, signal, after } = options
    const session = await pool.take({ signal })
    try {
      for (const statement of statements) await this.#runStoppable(session, statement, signal)
    } catch (error) {
      if (statements.length > 1 && after !== undefined) await this.#sessions.run(session, after).catch(() => {})
      throw signal?.aborted === true ? signal.reason : storeError(what, error)
    } finally {
      pool.release(session)
    }
  }

  /** An INSERT, ALTER or OPTIMIZE stops between two blocks; its session is free only then. */
  async #runStoppable(session: number, statement: string, signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) return void (await this.#sessions.run(session, statement))
    signal.throwIfAborted()
    const id = randomUUID()
    let again: NodeJS.Timeout | undefined
    const kill = (): void => void this.#kill(id).catch(() => {})
    // The first may come before the engine knows the statement.
    const stop = (): void => {
      kill()
      again = setInterval(kill, killPauseMs).unref()
    }
    signal.addEventListener('abort', stop, { once: true })
    try {
      await this.#sessions.run(session, `/* ${id} */ ${statement}`)
    } finally {
      signal.removeEventListener('abort', stop)
      clearInterval(again)
    }
  }

  async releaseMemory(): Promise<void> {
    for (const what of ['DROP MARK CACHE', 'DROP INDEX MARK CACHE', 'DROP PRIMARY INDEX CACHE', 'JEMALLOC PURGE']) {
      await this.execute(`SYSTEM ${what}`)
    }
  }

  state(): EngineState {
    return {
      queries: this.#readers.state(),
      inserts: this.#writer.state(),
      statements: this.#control.state(),
      process: this.#sessions.process(),
    }
  }

  /** Takes a session, and counts the wait for it toward the time that the query has. */
  async #startRun(sql: string, options: QueryOptions): Promise<{ run: QueryRun; session: number; text: string }> {
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
    return { run, session, text: `${bound} ${printSettings(settings)}` }
  }

  /** Aborting a promise does not stop the engine: another session has to name the query to it. SYNC would hang. */
  async #kill(id: string): Promise<void> {
    const text = `KILL QUERY WHERE Settings['log_comment'] = '${id}' OR startsWith(query, '/* ${id} */') ASYNC`
    await this.#runOn(this.#killer, [text], { what: 'cannot stop query' })
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll()
    return this.#closed
  }

  async #closeAll(): Promise<void> {
    clearInterval(this.#hungTimer)
    for (const pool of [this.#readers, this.#writer, this.#control]) pool.close()
    for (const run of this.#runs) run.stop(new UnavailableError('shutting_down', 'the store is closing'))
    await this.#sessions.close()
    this.#killer.close()
    this.#blocks.close()
  }
}

function poolOf(sessions: readonly number[], waitingMax: number, what: string): SessionPool<number> {
  return new SessionPool({ sessions, waitingMax, what })
}

function parseRows<Row>(text: string): Row[] {
  if (text === '') return []
  return JSON.parse(`[${text.trimEnd().replaceAll('\n', ',')}]`) as Row[]
}
