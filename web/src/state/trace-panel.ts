/** What the panel shows of one node: details and logs, as the worker finds them. */
import { signal } from '@preact/signals'
import type { SpanDetails } from '../model/span-details.ts'
import type { ApiError } from './api.ts'
import type { TraceClient } from './trace-client.ts'
import type { SpanLogs } from './trace-messages.ts'

export interface PanelContent {
  readonly node: number
  readonly details: SpanDetails | undefined
  readonly logs: SpanLogs | undefined
  readonly logsError: ApiError | undefined
}

const noLogs: SpanLogs = { own: [], others: [] }

export class TracePanel {
  readonly content = signal<PanelContent | undefined>(undefined)
  readonly #client: TraceClient

  constructor(client: TraceClient) {
    this.#client = client
  }

  /** `isAsked` false when the node has nothing that the worker could tell. */
  show(node: number, isAsked: boolean): void {
    if (this.content.value?.node === node) return
    const nothingYet = { node, details: undefined, logs: undefined, logsError: undefined }
    this.content.value = isAsked ? nothingYet : { ...nothingYet, logs: noLogs }
    if (!isAsked) return
    void this.#client.ask<'details'>({ ask: 'details', node }).then(
      (details) => this.#update(node, { details }),
      () => {}, // the worker is gone, which the logs say as well
    )
    this.#client.ask<'logs'>({ ask: 'logs', node }).then(
      (logs) => this.#update(node, { logs }),
      (error: ApiError) => this.#update(node, { logs: noLogs, logsError: error }),
    )
  }

  /** An answer that comes when another node is shown is too late. */
  #update(node: number, part: Partial<PanelContent>): void {
    const shown = this.content.value
    if (shown?.node === node) this.content.value = { ...shown, ...part }
  }
}
