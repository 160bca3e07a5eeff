/**
 * The boundary between clew's storage and ClickHouse. Today clew runs ClickHouse in a child process; later it may be a
 * server or cluster with the same SQL. Everything above this interface is shared.
 */

import type { PoolState } from './engine/session-pool.ts'
import type { EngineProcessState } from './engine/sessions.ts'

export type QueryParameter = string | number | bigint | readonly string[]

export interface QueryOptions {
  /** Values for `{name:Type}` placeholders. SQL text never contains outside values in any other way. */
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
   * Set when an earlier attempt may have stored some, all or none of the rows. Rows that are in the table already, as
   * identified by these columns together, are then left out. The first column is the table's time. This is slower than
   * a plain insert, and right even where the engine's own deduplication is not (insert-statement.ts).
   */
  readonly storedIf?: readonly [time: string, ...others: string[]]
  /**
   * Cancels: the promise rejects, at once while the block waits for its turn, else as soon as the engine has stopped.
   * The block may be stored, as after any rejection.
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
  /** `undefined` for an engine in clew's own process. */
  readonly process: EngineProcessState | undefined
}

/** Abilities that not every engine has. False is "cannot". */
export interface EngineAbilities {
  /** Whether no other process can use the store while it is open. Then exclusive work needs no lease in the store. */
  readonly exclusive: boolean
  /** Whether `releaseMemory` does anything. */
  readonly releasesMemory: boolean
}

export interface Engine {
  readonly abilities: EngineAbilities
  /** Durable when it resolves. A rejected insert may or may not be stored: repeat it with `storedIf`. */
  insert(block: Block): Promise<void>
  /**
   * Rows as arrays of column values; 64-bit numbers come as text. A query waits for its turn, which counts toward its
   * time; it is refused with `too_many_requests` when too many wait already.
   */
  query<Row extends readonly unknown[]>(sql: string, options?: QueryOptions): Promise<Row[]>
  /**
   * The same, row by row as the engine makes them; leaving the loop stops the query. The query's time also covers the
   * reading of its rows.
   */
  stream<Row extends readonly unknown[]>(sql: string, options?: QueryOptions): AsyncIterable<Row>
  /** The answer of `query` as Native blocks (native/block-reader.ts), for very many rows. */
  queryBlocks(sql: string, options?: QueryOptions): Promise<Uint8Array>
  /**
   * A statement without an answer: schema changes and maintenance, one at a time. With a `signal` it rejects at once
   * while it waits for its turn, else as soon as the engine has stopped it; it may be done all the same. A statement
   * that contains settings, or VALUES, takes no settings in `options`.
   */
  execute(sql: string, options?: QueryOptions): Promise<void>
  /** Returns memory that is free inside the engine to the system. */
  releaseMemory(): Promise<void>
  state(): EngineState
  /** Stops queries, waits for inserts and statements that are under way, then closes; safe to call twice. */
  close(): Promise<void>
}
