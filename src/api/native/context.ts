/** The parts that the native API uses to answer requests. */
import type { Reader } from '../../model/reader.ts'
import type { StatusAnswer } from './contract.ts'

export interface ApiContext {
  readonly reader: Reader
  readonly status: () => Promise<StatusAnswer>
  /** Prometheus text format. */
  readonly metrics: () => Promise<string>
  /** Problems that keep clew from doing its work; empty when it is healthy. */
  readonly problems: () => { code: string; message: string }[]
  readonly isReady: () => boolean
  /** The maximum number of spans returned for one trace. */
  readonly traceSpansMax: number
}
