/**
 * Connections to a ClickHouse that clew itself runs. A session does one thing at a time; sessions are named by their place
 * in the list that they were opened with. There are two implementations: own-sessions (in this process) and
 * child-sessions (in a child process).
 */
export interface Sessions {
  /** Runs one statement. Returns its rows as text: one JSON array for each line (the format JSONCompactEachRow). */
  run(session: number, sql: string): Promise<string>
  /** The same as bytes of UTF-8, or of the format that the statement names. */
  runForBytes(session: number, sql: string): Promise<Uint8Array>
  /** Begins a query whose rows are fetched piece by piece. */
  stream(session: number, sql: string): RowStream
  /** The process the engine runs in; `undefined` when that is this one. */
  process(): EngineProcessState | undefined
  /**
   * Ends the engine's process and starts it again, for work that never ends. Does nothing where there is no process.
   */
  restart(reason: string): void
  /** Waits for what is under way, then closes. */
  close(): Promise<void>
}

export interface RowStream {
  /** The next rows as text, or `undefined` after the last ones. One call at a time: the reader sets the pace. */
  next(): Promise<string | undefined>
  /** To be called when no `next` is pending; the session is free afterwards. */
  cancel(): void
}

export interface EngineProcessState {
  /** `undefined` while it is down. */
  readonly pid: number | undefined
  /** Resident memory, and the part of it that is not backed by files; 0 where the system does not say. */
  readonly rssBytes: number
  readonly anonymousBytes: number
  /** How often it was started again since clew began. */
  readonly restarts: number
  /** Why it ended last, and when (milliseconds since 1970). */
  readonly lastEnd: { readonly why: string; readonly atMs: number } | undefined
}

export interface SessionsOptions {
  /** Folder of the engine's data; made when missing. */
  readonly dir: string
  /** Arguments of the engine for each session. */
  readonly sessionArguments: readonly (readonly string[])[]
}
