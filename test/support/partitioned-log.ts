/**
 * A log of several partitions, each a local log of its own. Its positions have gaps, it does not recognise retries, and
 * those who consume under one name share the partitions: all that the contract allows and the local log alone does not
 * have.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UnavailableError } from '../../src/base/errors.ts'
import type {
  Appended,
  AssignmentListener,
  ConsumerState,
  Log,
  LogConsumer,
  LogRecord,
  LogStats,
  Partition,
  Position,
  StoredRecord,
} from '../../src/model/log.ts'
import type { LocalLog } from '../../src/transport/local/local-log.ts'
import { openLog } from './temporary-log.ts'

/** The records of a partition are so far apart. */
const stride = 3

const widen = (position: number): Position => (position * stride) as Position
const narrow = (position: number): Position => Math.ceil(position / stride) as Position

interface Member {
  readonly listener: AssignmentListener
  readonly held: Map<Partition, AbortController>
}

export class PartitionedLog implements Log {
  readonly capabilities = { detectsRetries: false, densePositions: false }
  readonly #dir: string
  readonly #parts: readonly LocalLog[]
  readonly #groups = new Map<string, Member[]>()
  /** Partitions change hands one step after the other. */
  #moving: Promise<unknown> = Promise.resolve()
  #appended = 0

  private constructor(dir: string, parts: readonly LocalLog[]) {
    this.#dir = dir
    this.#parts = parts
  }

  static async open(dir: string, partitions: number): Promise<PartitionedLog> {
    mkdirSync(dir, { recursive: true })
    const parts = Array.from({ length: partitions }, (_, n) => openLog(join(dir, String(n))))
    return new PartitionedLog(dir, await Promise.all(parts))
  }

  async append(record: LogRecord): Promise<Appended> {
    const partition = this.#appended++ % this.#parts.length
    const { position } = await this.#parts[partition]!.append({ ...record, retryable: false })
    const appended = { partition, position: widen(position), duplicate: false }
    // All members are in one process, and none of them is told by the append alone.
    for (const members of this.#groups.values()) {
      for (const { listener, held } of members) {
        if (held.has(partition)) listener.grown(partition, (appended.position + 1) as Position)
      }
    }
    return appended
  }

  async *read(from: Position, partition = 0): AsyncGenerator<StoredRecord> {
    for await (const record of this.#parts[partition]!.read(narrow(from))) {
      yield { ...record, partition, position: widen(record.position) }
    }
  }

  async consume(name: string, listener: AssignmentListener): Promise<LogConsumer> {
    const member: Member = { listener, held: new Map() }
    const members = this.#groups.get(name) ?? []
    this.#groups.set(name, members)
    await this.#move(async () => {
      members.push(member)
      await this.#share(name)
    })
    return {
      commit: async (partition, state) => await this.#commit(name, member, partition, state),
      leave: async () =>
        await this.#move(async () => {
          members.splice(members.indexOf(member), 1)
          for (const partition of member.held.keys()) await this.#revoke(member, partition)
          await this.#share(name)
        }),
    }
  }

  stats(): LogStats {
    const all = this.#parts.map((part) => part.stats())
    const sum = (count: (stats: LogStats) => number): number => all.reduce((total, stats) => total + count(stats), 0)
    return {
      ...all[0]!,
      pendingBytes: sum(({ pendingBytes }) => pendingBytes),
      pendingRecords: sum(({ pendingRecords }) => pendingRecords),
      nextPosition: widen(all[0]!.nextPosition),
      oldestPosition: widen(all[0]!.oldestPosition),
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.close()))
  }

  async #move(step: () => Promise<void>): Promise<void> {
    const moved = this.#moving.then(step)
    this.#moving = moved.catch(() => {})
    await moved
  }

  /** Partition n goes to member n, counted round. */
  async #share(name: string): Promise<void> {
    const members = this.#groups.get(name)!
    const ownerOf = (partition: Partition): Member | undefined => members[partition % members.length]
    for (const member of members) {
      for (const partition of member.held.keys()) {
        if (ownerOf(partition) !== member) await this.#revoke(member, partition)
      }
    }
    for (const [partition, part] of this.#parts.entries()) {
      const owner = ownerOf(partition)
      if (owner === undefined || owner.held.has(partition)) continue
      const lost = new AbortController()
      owner.held.set(partition, lost)
      const oldest = (await part.consumer(name)).next
      const file = this.#stateFile(name, partition)
      const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ConsumerState) : undefined
      const state = { next: kept?.next ?? widen(oldest), cutEnd: kept?.cutEnd }
      owner.listener.assigned({ partition, state, end: widen(part.stats().nextPosition), lost: lost.signal })
    }
  }

  async #revoke({ listener, held }: Member, partition: Partition): Promise<void> {
    held.get(partition)!.abort()
    await listener.revoked(partition)
    held.delete(partition)
  }

  async #commit(name: string, { held }: Member, partition: Partition, state: ConsumerState): Promise<void> {
    if (held.get(partition)?.signal.aborted !== false) {
      throw new UnavailableError('io_failed', `cannot commit for '${name}': partition ${partition} was lost`)
    }
    writeFileSync(this.#stateFile(name, partition), JSON.stringify(state))
    // So that the part knows what may go; it cannot hold places between its records.
    await this.#parts[partition]!.commit(name, { next: narrow(state.next), cutEnd: undefined })
  }

  #stateFile(name: string, partition: Partition): string {
    return join(this.#dir, `${name}-${partition}.json`)
  }
}
