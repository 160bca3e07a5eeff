/**
 * Problems of the log with its own files, or with writing. None of them stops the log; all of them must be reported.
 */
export interface LogProblem {
  readonly kind:
    | 'torn_tail' // an unfinished write at the end, cut off: expected after a crash
    | 'damaged_records' // bytes between readable records, skipped
    | 'damaged_segment' // a segment without one readable record, kept under another name
    | 'damaged_consumer' // neither slot of a consumer's state is readable
    | 'write_failed' // the disk refused an append or a consumer's state
    | 'delete_failed' // a segment no longer needed cannot be deleted
  readonly path: string
  /** Offset in the file, and how many bytes are concerned. */
  readonly offset: number
  readonly bytes: number
  readonly message: string
}

export type OnProblem = (problem: LogProblem) => void
