/**
 * Stores a log in one sink, with a loop for each partition that this process has. Several consumers, each with its own
 * sink, are independent. Each has its own positions in the log, and one that is slow or down does not hold up another.
 */
import type { BatchLease } from '../model/batch-lease.ts'
import type { BatchSink } from '../model/intake.ts'
import type { Appended, Assignment, AssignmentListener, LogConsumer, Partition, Position } from '../model/log.ts'
import { PartitionLoop, type LoopOptions } from './partition-loop.ts'

export type ConsumerOptions = LoopOptions

/** Resolves once the log knows the consumer. Rejects with `UnavailableError` when it cannot join. */
export async function startConsumer(options: ConsumerOptions): Promise<Consumer> {
  const joined = Promise.withResolvers<LogConsumer>()
  const consumer = new Consumer(options, joined.promise)
  try {
    joined.resolve(await options.log.consume(options.sink.name, consumer))
  } catch (error) {
    joined.promise.catch(() => {})
    joined.reject(error)
    throw error
  }
  return consumer
}

export class Consumer implements AssignmentListener, BatchSink {
  readonly #options: ConsumerOptions
  readonly #joined: Promise<LogConsumer>
  readonly #loops = new Map<Partition, PartitionLoop>()
  /** Counts from partitions that this process has lost since. */
  #pastBlocks = 0
  #pastMissed = 0

  constructor(options: ConsumerOptions, joined: Promise<LogConsumer>) {
    this.#options = options
    this.#joined = joined
  }

  get name(): string {
    return this.#options.sink.name
  }

  assigned(assignment: Assignment): void {
    this.#loops.set(assignment.partition, new PartitionLoop(this.#options, () => this.#joined, assignment))
  }

  async revoked(partition: Partition): Promise<void> {
    const loop = this.#loops.get(partition)
    if (loop === undefined) return
    await loop.ended()
    this.#loops.delete(partition)
    this.#pastBlocks += loop.blocks
    this.#pastMissed += loop.missedRecords
  }

  grown(partition: Partition, end: Position): void {
    this.#loops.get(partition)?.grow(end)
  }

  /** Ignores records in partitions of other processes, which store them themselves. */
  offer({ partition, position }: Pick<Appended, 'partition' | 'position'>, lease: BatchLease): void {
    this.#loops.get(partition)?.offer(position, lease)
  }

  /** Blocks stored since the start. */
  get blocks(): number {
    return this.#sum((loop) => loop.blocks, this.#pastBlocks)
  }

  /** Records that were gone from the log before they were read: dropped at its size limit, or damaged. */
  get missedRecords(): number {
    return this.#sum((loop) => loop.missedRecords, this.#pastMissed)
  }

  /** Bytes of batches that wait in memory. */
  get queuedBytes(): number {
    return this.#sum((loop) => loop.queuedBytes)
  }

  /** Time the newest block took in the slowest partition, milliseconds. */
  get lastInsertMs(): number {
    return Math.max(0, ...[...this.#loops.values()].map((loop) => loop.lastInsertMs))
  }

  /** Why nothing is stored now; `undefined` when all is well. */
  get problem(): string | undefined {
    for (const { problem } of this.#loops.values()) if (problem !== undefined) return problem
    return undefined
  }

  /** Whether records that were there at the start, or came more than about two seconds ago, are not stored yet. */
  get isBehind(): boolean {
    for (const loop of this.#loops.values()) if (loop.isBehind) return true
    return false
  }

  /**
   * Resolves once all records are stored that were in the log at the start of this process, or came more than about two
   * seconds before the call. Normally that is at once. Rejects with the signal's reason.
   */
  async untilStored(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#loops.values()].map((loop) => loop.untilStored(signal)))
  }

  /** Frees memory that is not in use. */
  release(): void {
    for (const loop of this.#loops.values()) loop.release()
  }

  /**
   * Stores what is durable in the log so far, then stops. What the sink refuses, or what is not stored by `untilMs` (a
   * time), stays in the log for the next start.
   */
  async stop(untilMs = Infinity): Promise<void> {
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop(untilMs)))
    await (await this.#joined).leave()
  }

  #sum(count: (loop: PartitionLoop) => number, first = 0): number {
    let sum = first
    for (const loop of this.#loops.values()) sum += count(loop)
    return sum
  }
}
