/** What the panel shows for one node: the details and logs that the worker finds. */
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

  /** `isAsked` is false when the worker has nothing about the node. */
  show(node: number, isAsked: boolean): void {
    if (this.content.value?.node === node) return
    const nothingYet = { node, details: undefined, logs: undefined, logsError: undefined }
    this.content.value = isAsked ? nothingYet : { ...nothingYet, logs: noLogs }
    if (!isAsked) return
    void this.#client.ask<'details'>({ ask: 'details', node }).then(
      (details) => this.#update(node, { details }),
      () => {}, // the worker is gone, and the logs section shows that too
    )
    this.#client.ask<'logs'>({ ask: 'logs', node }).then(
      (logs) => this.#update(node, { logs }),
      (error: ApiError) => this.#update(node, { logs: noLogs, logsError: error }),
    )
  }

  /** An answer is too late when another node is shown by then. */
  #update(node: number, part: Partial<PanelContent>): void {
    const shown = this.content.value
    if (shown?.node === node) this.content.value = { ...shown, ...part }
  }
}
