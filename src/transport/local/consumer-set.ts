/**
 * The consumers of a log and how far each is. For consumers that hold back the log, it keeps their records. These are
 * the ones in `heldBy`; without it, all that are known on disk, opened or not. For others it keeps records while there
 * is room.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UnavailableError, assert, messageOf } from '../../base/errors.ts'
import type { ConsumerState, ConsumerStats, Position } from '../../model/log.ts'
import {
  consumerFileName,
  createConsumerFile,
  openConsumerFile,
  parseConsumerFileName,
  writeConsumerState,
  type ConsumerFile,
} from './consumer-state.ts'
import type { OnProblem } from './problem.ts'
import type { SegmentSet } from './segment-set.ts'

interface Consumer extends ConsumerFile {
  /** Record bytes before `state.next`, counted like `SegmentSet.recordBytes`. */
  bytesBefore: number
  /** Commits run one after the other. */
  last: Promise<void>
}

export class ConsumerSet {
  readonly #dir: string
  readonly #heldBy: readonly string[] | undefined
  readonly #onProblem: OnProblem
  readonly #consumers = new Map<string, Consumer>()
  readonly #opening = new Map<string, Promise<Consumer>>()

  constructor(dir: string, onProblem: OnProblem, heldBy: readonly string[] | undefined) {
    this.#dir = dir
    this.#heldBy = heldBy
    this.#onProblem = onProblem
  }

  /**
   * Reads the states on disk and returns a position after all positions in them. A consumer whose state is unreadable
   * starts again at `oldest`: getting records twice is better than never.
   */
  async open(oldest: Position): Promise<number> {
    let seen = 0
    for (const fileName of await readdir(this.#dir)) {
      const name = parseConsumerFileName(fileName)
      if (name === undefined) continue
      const path = join(this.#dir, fileName)
      let opened = await openConsumerFile(path)
      if (opened === undefined) {
        opened = await createConsumerFile(path, oldest)
        const message = `cannot read the state of consumer '${name}' in ${path}: it starts again at the oldest record`
        this.#onProblem({ kind: 'damaged_consumer', path, offset: 0, bytes: 0, message })
      }
      this.#consumers.set(name, { ...opened, bytesBefore: 0, last: Promise.resolve() })
      seen = Math.max(seen, opened.state.next, opened.state.cutEnd ?? 0)
    }
    return seen
  }

  /** Determines how many bytes each consumer has finished. */
  async measure(set: SegmentSet): Promise<void> {
    for (const consumer of this.#consumers.values()) {
      consumer.bytesBefore = await set.bytesBefore(consumer.state.next)
    }
  }

  async get(name: string, set: SegmentSet): Promise<ConsumerState> {
    const { state } = await this.#find(name, set)
    return { next: state.next, cutEnd: state.cutEnd }
  }

  /** Durable when it resolves. When it rejects with `UnavailableError` `io_failed`, the state before is still valid. */
  async commit(name: string, state: ConsumerState, set: SegmentSet): Promise<void> {
    const consumer = await this.#find(name, set)
    const done = consumer.last.then(() => this.#write(consumer, state, set))
    // The next commit waits for this one, whether it succeeds or not.
    consumer.last = done.catch(() => undefined)
    await done
  }

  /** Every consumer that holds back the log has finished all records before this position. */
  committed(set: SegmentSet): number {
    const holders = this.#holders()
    if (holders === undefined) return set.oldest
    return Math.max(set.oldest, Math.min(set.next, ...holders.map(({ state }) => state.next)))
  }

  /** Record bytes before that position, counted like `SegmentSet.recordBytes`. */
  committedBytes(set: SegmentSet): number {
    const oldest = set.list[0]?.bytesBefore ?? set.recordBytes
    const holders = this.#holders()
    if (holders === undefined) return oldest
    return Math.max(oldest, Math.min(set.recordBytes, ...holders.map(({ bytesBefore }) => bytesBefore)))
  }

  /** Every consumer has finished all records before this position, including those that do not hold back the log. */
  finished(set: SegmentSet): number {
    const all = [...this.#consumers.values()].map(({ state }) => state.next)
    return Math.max(set.oldest, Math.min(this.committed(set), ...all))
  }

  /** `undefined` while one of them has not begun: nothing may be deleted before that. */
  #holders(): readonly Consumer[] | undefined {
    if (this.#heldBy === undefined) return this.#consumers.size === 0 ? undefined : [...this.#consumers.values()]
    const holders = this.#heldBy.map((name) => this.#consumers.get(name))
    return holders.every((consumer) => consumer !== undefined) ? holders : undefined
  }

  stats(set: SegmentSet): ConsumerStats[] {
    return [...this.#consumers].map(([name, { state, bytesBefore }]) => ({
      name,
      holdsLog: this.#heldBy === undefined || this.#heldBy.includes(name),
      pendingBytes: set.recordBytes - Math.max(bytesBefore, set.list[0]?.bytesBefore ?? 0),
      pendingRecords: set.next - Math.max(state.next, set.oldest),
      goneRecords: Math.max(0, set.oldest - state.next),
    }))
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#opening.values())
    for (const consumer of this.#consumers.values()) {
      await consumer.last
      await consumer.file.close()
    }
  }

  async #find(name: string, set: SegmentSet): Promise<Consumer> {
    const known = this.#consumers.get(name)
    if (known !== undefined) return known
    let opening = this.#opening.get(name)
    if (opening === undefined) {
      opening = this.#create(name, set).finally(() => this.#opening.delete(name))
      this.#opening.set(name, opening)
    }
    return await opening
  }

  async #create(name: string, set: SegmentSet): Promise<Consumer> {
    const path = join(this.#dir, consumerFileName(name))
    const next = set.oldest as Position
    const consumer = await createConsumerFile(path, next).catch((error: unknown) => {
      throw this.#failure(`cannot make the state of consumer '${name}'`, error)
    })
    const opened = { ...consumer, bytesBefore: await set.bytesBefore(next), last: Promise.resolve() }
    this.#consumers.set(name, opened)
    return opened
  }

  async #write(consumer: Consumer, state: ConsumerState, set: SegmentSet): Promise<void> {
    assert(state.next >= consumer.state.next && state.next <= set.next, `commit of ${state.next} goes forward`)
    assert(state.cutEnd === undefined || state.cutEnd >= state.next, `cut ${state.cutEnd} ends after ${state.next}`)
    const hasMoved = state.next !== consumer.state.next
    try {
      const bytesBefore = hasMoved ? await set.bytesBefore(state.next) : consumer.bytesBefore
      await writeConsumerState(consumer, state)
      consumer.bytesBefore = bytesBefore
    } catch (error) {
      throw this.#failure('cannot commit to the log', error)
    }
  }

  #failure(doing: string, cause: unknown): UnavailableError {
    return new UnavailableError('io_failed', `${doing}: ${messageOf(cause)}`, { cause })
  }
}
