/** Receivers on free ports of loopback, with a real log in a temporary folder and a sink that keeps what it gets. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { IntakeCounters } from '../../src/capture/counters.ts'
import { Intake } from '../../src/capture/intake.ts'
import type { Listener, ReceiverContext, StartReceiver } from '../../src/capture/receiver.ts'
import type { EventBatch } from '../../src/model/event-batch.ts'
import type { SpanBatch } from '../../src/model/span-batch.ts'
import { openLocalLog, type LocalLog } from '../../src/transport/local/local-log.ts'

export interface ReceivingOptions {
  readonly bodyBytesMax?: number
  readonly concurrentMax?: number
  readonly logBytesMax?: number
  readonly limits?: Partial<ReceiverContext['limits']>
  readonly corsOrigins?: readonly string[]
  /** False leaves `batches` empty. */
  readonly keepsBatches?: boolean
}

export class Receiving {
  readonly batches: (SpanBatch | EventBatch)[] = []
  readonly counters = new IntakeCounters()
  readonly log: LocalLog
  readonly intake: Intake
  readonly #options: ReceivingOptions
  readonly #folder: string
  readonly #listeners: Listener[] = []

  private constructor(log: LocalLog, folder: string, options: ReceivingOptions) {
    this.log = log
    this.#folder = folder
    this.#options = options
    this.intake = new Intake({
      log,
      sink: {
        offer: (_place, lease) => {
          if (!(options.keepsBatches ?? true)) return
          lease.hold()
          this.batches.push(lease.batch)
        },
      },
      counters: this.counters,
      bodyBytesMax: options.bodyBytesMax ?? 4 << 20,
      concurrentMax: options.concurrentMax ?? 256,
    })
  }

  static async open(options: ReceivingOptions = {}): Promise<Receiving> {
    const folder = await mkdtemp(join(tmpdir(), 'clew-receiving-'))
    const log = await openLocalLog({
      dir: join(folder, 'log'),
      sync: true,
      maxBytes: options.logBytesMax ?? 256 << 20,
      minFreeBytes: 0,
    })
    return new Receiving(log, folder, options)
  }

  /** Starts a receiver; answers its `host:port`. */
  async start(startReceiver: StartReceiver, port = 0): Promise<string> {
    const listener = await startReceiver({
      intake: this.intake,
      logger: pino({ level: 'silent' }),
      host: '127.0.0.1',
      port,
      limits: { connectionsMax: 100, requestTimeoutMs: 10_000, idleTimeoutMs: 10_000, ...this.#options.limits },
      ...(this.#options.corsOrigins !== undefined && { corsOrigins: this.#options.corsOrigins }),
    })
    this.#listeners.push(listener)
    return `127.0.0.1:${listener.port}`
  }

  spans(): SpanBatch[] {
    return this.batches.filter((batch) => batch.signal === 'spans')
  }

  events(): EventBatch[] {
    return this.batches.filter((batch) => batch.signal === 'events')
  }

  async close(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()))
    await this.intake.close()
    await this.log.close()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
