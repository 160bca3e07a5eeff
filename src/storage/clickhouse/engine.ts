/**
 * The seam between clew's storage and ClickHouse: run by clew in a child process today, a server or cluster with the same SQL
 * later. Everything above this interface is shared.
 */

import type { PoolState } from './engine/session-pool.ts'
import type { EngineProcessState } from './engine/sessions.ts'

export type QueryParameter = string | number | bigint | readonly string[]

export interface QueryOptions {
  /** Values for `{name:Type}` placeholders; SQL text never holds outside values in another way. */
  readonly parameters?: Readonly<Record<string, QueryParameter>>
  /** Cancels: the promise rejects at once and the engine is told to stop the query. */
  readonly signal?: AbortSignal
  /** Engine settings for this query alone. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/** A Native block and where it goes. */
export interface Block {
  readonly table: string
  /** `name type, …` in the order of the block's columns. */
  readonly structure: string
  /** The bytes of the block, in pieces; unchanged until the insert settles. */
  readonly bytes: readonly Uint8Array[]
  /** Inserts with the same token into the same table are stored once (within the table's deduplication window). */
  readonly token: string
  /**
   * Set when an earlier attempt may have stored some of the rows, all of it or none; rows that are in the table already,
   * as told by these columns together, are then left out. The first column is the table's time. Slower than a plain
   * insert, and right even where the engine's own deduplication is not (insert-statement.ts).
   */
  readonly storedIf?: readonly [time: string, ...others: string[]]
  /**
   * Cancels: the promise rejects, at once while the block waits for its turn, else as soon as the engine has stopped. As after any
   * rejection, the block may be stored.
   */
  readonly signal?: AbortSignal
  /** Engine settings for this insert alone. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/** How busy the engine is. */
export interface EngineState {
  readonly queries: PoolState
  readonly inserts: PoolState
  readonly statements: PoolState
  /** Of an engine in a process of its own. */
  readonly process: EngineProcessState | undefined
}

/** What not every engine can do. False is "cannot". */
export interface EngineAbilities {
  /** Whether no other process can use the store while it is open: then what must run once needs no lease in the store. */
  readonly exclusive: boolean
  /** Whether `releaseMemory` does anything. */
  readonly releasesMemory: boolean
}

export interface Engine {
  readonly abilities: EngineAbilities
  /** Durable when it resolves. A rejected insert may or may not be there: repeat it with `storedIf`. */
  insert(block: Block): Promise<void>
  /**
   * Rows as arrays of column values; 64-bit numbers come as text. A query waits for its turn, which counts toward its
   * time; it is refused with `too_many_requests` when too many wait already.
   */
  query<Row extends readonly unknown[]>(sql: string, options?: QueryOptions): Promise<Row[]>
  /**
   * The same, row by row as the engine makes them; breaking off the loop stops the query. The time of a query counts on
   * while its rows are read.
   */
  stream<Row extends readonly unknown[]>(sql: string, options?: QueryOptions): AsyncIterable<Row>
  /** The answer of `query` as Native blocks (native/block-reader.ts), for very many rows. */
  queryBlocks(sql: string, options?: QueryOptions): Promise<Uint8Array>
  /**
   * A statement without an answer: schema changes and maintenance, one at a time. With a `signal` it rejects at once while it
   * waits for its turn, else as soon as the engine has stopped it, and it may be done all the same. A statement with settings of
   * its own, or with VALUES, takes none in `options`.
   */
  execute(sql: string, options?: QueryOptions): Promise<void>
  /** Gives memory that is free inside the engine back to the system. */
  releaseMemory(): Promise<void>
  state(): EngineState
  /** Stops queries, waits for inserts and statements that are under way, then closes; safe to call twice. */
  close(): Promise<void>
}
