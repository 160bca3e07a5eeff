/** A row of the table of receivers. */
import type { Config } from '../config/config.ts'
import type { Accepts, Listener, ReceiverContext } from './receiver.ts'

export interface ReceiverRow {
  readonly name: string
  readonly accepts: Accepts
  /** Absent for receivers that always run. */
  readonly enabled?: (config: Config) => boolean
  readonly port: (config: Config) => number
  /** The command-line option that changes the port. */
  readonly flag: string
  readonly start: (context: ReceiverContext, config: Config) => Promise<Listener>
}
