/** A log and the fresh traces of it behind a real intake, for tests; only the clock is given by hand. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IntakeCounters } from '../../src/capture/counters.ts'
import { Intake } from '../../src/capture/intake.ts'
import { decodeSpans, otlpTracesProtobuf } from '../../src/codec/otlp/traces-protobuf.ts'
import type { SpanBatch } from '../../src/model/span-batch.ts'
import { ArrivalClock } from '../../src/storage/fresh/arrival-clock.ts'
import { FreshTraces } from '../../src/storage/fresh-traces.ts'
import { openLocalLog, type LocalLog, type LocalLogOptions } from '../../src/transport/local/local-log.ts'

/** When the part begins. */
export const startedAtMs = 1_700_000_000_000

export interface FreshPart {
  readonly log: LocalLog
  readonly fresh: FreshTraces
  readonly intake: Intake
  readonly batches: SpanBatch[]
  readonly problems: string[]
  /** What the clock says. */
  nowMs: number
  /** Since the process began; goes on with `nowMs` unless the wall clock is set. */
  steadyMs: number
}

export interface FreshPartOptions {
  readonly spansMax?: number
  readonly startedEmpty?: boolean
  readonly storedUntilMs?: number
  readonly log?: Partial<LocalLogOptions>
}

export interface Ending {
  after(end: () => Promise<void>): void
}

export async function openFreshPart(t: Ending, options: FreshPartOptions = {}): Promise<FreshPart> {
  const dir = await mkdtemp(join(tmpdir(), 'clew-fresh-'))
  const log = await openLocalLog({ dir, sync: false, maxBytes: 64 << 20, minFreeBytes: 0, ...options.log })
  t.after(async () => {
    await log.close()
    await rm(dir, { recursive: true, force: true })
  })
  const part = { nowMs: startedAtMs, steadyMs: 0, batches: [] as SpanBatch[], problems: [] as string[] }
  const fresh = new FreshTraces({
    log,
    codec: otlpTracesProtobuf.name,
    decode: decodeSpans,
    spansMax: options.spansMax ?? 10_000,
    startedEmpty: options.startedEmpty ?? true,
    ...(options.storedUntilMs === undefined ? {} : { storedUntilMs: options.storedUntilMs }),
    clock: new ArrivalClock(
      () => part.nowMs,
      () => part.steadyMs,
    ),
    onProblem: (message, error) => part.problems.push(`${message}: ${String(error)}`),
  })
  const intake = new Intake({
    log,
    sink: {
      offer({ position }, lease, header) {
        lease.hold()
        part.batches.push(lease.batch as SpanBatch)
        return fresh.offer(position, lease.batch, header)
      },
    },
    counters: new IntakeCounters(),
    bodyBytesMax: 4 << 20,
    concurrentMax: 100,
  })
  return Object.assign(part, { log, fresh, intake })
}

export function passTime(part: FreshPart, ms: number): void {
  part.nowMs += ms
  part.steadyMs += ms
}

/** Takes an OTLP request; whether it was known. */
export async function takeTraces({ intake }: FreshPart, body: Uint8Array, encoding = ''): Promise<boolean> {
  return (await intake.take({ protocol: 'otlp/http', codec: otlpTracesProtobuf, body, encoding })).duplicate
}
