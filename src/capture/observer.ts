/** What brings events without a socket: it looks at the machine it runs on. */
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

/** Of the files that are followed, since the start. */
export interface TailFigures {
  readonly followed: number
  readonly bytes: number
  /** Pieces with invalid UTF-8; U+FFFD stands for them. */
  readonly notUtf8: number
  /** Files that began again under the same name. */
  readonly truncations: number
  /** Files not read to the end: gone, or changed, before that. */
  readonly lost: number
  /** Files beyond the limit that are not followed now. */
  readonly skipped: number
  /** Files that hold something new, and folders, which cannot be read now. */
  readonly unreadable: number
  /** One of those, and why it cannot be read. */
  readonly problem: string | undefined
}

export interface Observer {
  /** Of the observer that follows files. */
  readonly tailFigures?: () => TailFigures

  /** Finishes what is under way, then resolves. */
  close(): Promise<void>
}

export interface ObserverRow {
  readonly name: string
  readonly enabled: (config: Config) => boolean
  readonly start: (context: ObserverContext) => Promise<Observer>
}
