/** The consumers of a log and how far each is. All that are known on disk hold back the log, opened or not. */
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
  readonly #onProblem: OnProblem
  readonly #consumers = new Map<string, Consumer>()
  readonly #opening = new Map<string, Promise<Consumer>>()

  constructor(dir: string, onProblem: OnProblem) {
    this.#dir = dir
    this.#onProblem = onProblem
  }

  /**
   * Reads the states on disk; answers a position later than all they speak of. A consumer whose state is unreadable
   * starts again at `oldest`: twice is better than never.
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

  /** Finds out how many bytes each consumer has finished. */
  async measure(set: SegmentSet): Promise<void> {
    for (const consumer of this.#consumers.values()) {
      consumer.bytesBefore = await set.bytesBefore(consumer.state.next)
    }
  }

  async get(name: string, set: SegmentSet): Promise<ConsumerState> {
    const { state } = await this.#find(name, set)
    return { next: state.next, cutEnd: state.cutEnd }
  }

  /** Durable when it resolves. Rejects with `UnavailableError` `io_failed`, the state before still in force. */
  async commit(name: string, state: ConsumerState, set: SegmentSet): Promise<void> {
    const consumer = await this.#find(name, set)
    const done = consumer.last.then(() => this.#write(consumer, state, set))
    // The next commit waits for this one, whether it succeeds or not.
    consumer.last = done.catch(() => undefined)
    await done
  }

  /** Position before which every consumer has finished; the oldest record's without consumers. */
  committed(set: SegmentSet): number {
    let least = set.next
    for (const { state } of this.#consumers.values()) least = Math.min(least, state.next)
    return this.#consumers.size === 0 ? set.oldest : Math.max(least, set.oldest)
  }

  /** Record bytes before that position, counted like `SegmentSet.recordBytes`. */
  committedBytes(set: SegmentSet): number {
    const oldest = set.list[0]?.bytesBefore ?? set.recordBytes
    if (this.#consumers.size === 0) return oldest
    let least = set.recordBytes
    for (const { bytesBefore } of this.#consumers.values()) least = Math.min(least, bytesBefore)
    return Math.max(least, oldest)
  }

  stats(set: SegmentSet): ConsumerStats[] {
    return [...this.#consumers].map(([name, { state, bytesBefore }]) => ({
      name,
      holdsLog: true,
      pendingBytes: set.recordBytes - bytesBefore,
      pendingRecords: set.next - state.next,
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
