/** A source of events without a socket: it watches the machine it runs on. */
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import type { Log } from '../model/log.ts'
import type { Intake } from './intake.ts'

export interface ObserverContext {
  readonly intake: Intake
  readonly log: Log
  readonly logger: Logger
  readonly config: Config
}

/** About the files that are followed, since the start. */
export interface TailFigures {
  readonly followed: number
  readonly bytes: number
  /** Pieces with invalid UTF-8, which is replaced by U+FFFD. */
  readonly notUtf8: number
  /** Files that started again under the same name. */
  readonly truncations: number
  /** Files not read to the end: removed or changed before that. */
  readonly lost: number
  /** Files beyond the limit that are not followed now. */
  readonly skipped: number
  /** Files with new content, and folders, that cannot be read now. */
  readonly unreadable: number
  /** One of those, and why it cannot be read. */
  readonly problem: string | undefined
}

export interface Observer {
  /** Only from the observer that follows files. */
  readonly tailFigures?: () => TailFigures

  /** Finishes the current work, then resolves. */
  close(): Promise<void>
}

export interface ObserverRow {
  readonly name: string
  readonly enabled: (config: Config) => boolean
  readonly start: (context: ObserverContext) => Promise<Observer>
}
