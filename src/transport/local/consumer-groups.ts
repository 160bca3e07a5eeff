/**
 * Who consumes the local log's only partition: the first consumer that joined under a name. Others that join under the
 * same name wait until the one before has left.
 */
import { UnavailableError, assert } from '../../base/errors.ts'
import type { AssignmentListener, ConsumerState, LogConsumer, Partition } from '../../model/log.ts'
import type { LocalLog } from './local-log.ts'

interface Member {
  readonly listener: AssignmentListener
  readonly lost: AbortController
}

export class ConsumerGroups {
  readonly #log: LocalLog
  readonly #groups = new Map<string, Member[]>()

  constructor(log: LocalLog) {
    this.#log = log
  }

  async join(name: string, listener: AssignmentListener): Promise<LogConsumer> {
    const member: Member = { listener, lost: new AbortController() }
    const members = this.#groups.get(name) ?? []
    this.#groups.set(name, members)
    members.push(member)
    if (members[0] === member) {
      await this.#assign(name, member).catch((error: unknown) => {
        members.splice(members.indexOf(member), 1)
        throw error
      })
    }
    return {
      commit: async (partition, state) => await this.#commit(name, member, partition, state),
      leave: async () => await this.#leave(name, member),
    }
  }

  async #assign(name: string, { listener, lost }: Member): Promise<void> {
    const state = await this.#log.consumer(name)
    listener.assigned({ partition: 0, state, end: this.#log.stats().nextPosition, lost: lost.signal })
  }

  async #commit(name: string, member: Member, partition: Partition, state: ConsumerState): Promise<void> {
    assert(partition === 0, `the local log has no partition ${partition}`)
    if (member.lost.signal.aborted || this.#groups.get(name)?.[0] !== member) {
      throw new UnavailableError('io_failed', `cannot commit for '${name}': the partition belongs to another consumer`)
    }
    await this.#log.commit(name, state)
  }

  async #leave(name: string, member: Member): Promise<void> {
    const members = this.#groups.get(name) ?? []
    const at = members.indexOf(member)
    if (at < 0) return
    if (at > 0) {
      members.splice(at, 1)
      return
    }
    member.lost.abort()
    await member.listener.revoked(0)
    members.shift()
    if (members[0] !== undefined) await this.#assign(name, members[0])
  }
}
