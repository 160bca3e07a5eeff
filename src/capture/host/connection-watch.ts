/** Which TCP connections opened and closed since the last look, in this process's network namespace. */
import { UnavailableError } from '../../base/errors.ts'
import type { HostEvent } from '../../codec/host/host.ts'
import { parseConnections, tcpStates, type Connection, type Proc } from './proc.ts'
import { nanos } from './process-watch.ts'

/** While there are more, they are not sampled: reading them would cost too much. */
const connectionsMax = 20_000
const restMs = 60_000
/** File descriptors read in one sample to find the owners of connections. */
const descriptorsMax = 2000

interface Known {
  readonly connection: Connection
  readonly isInbound: boolean
  readonly pid: number | undefined
}

export class ConnectionWatch {
  readonly #proc: Proc
  readonly #nameOf: (pid: number) => string
  #known: Map<string, Known> | undefined
  /** Processes that had connections before are searched first. */
  #owners: number[] = []

  constructor(proc: Proc, nameOf: (pid: number) => string) {
    this.#proc = proc
    this.#nameOf = nameOf
  }

  /**
   * The first call finds the connections that are already open: no events. Throws the system's errors, and
   * `UnavailableError` when there are too many connections to read now.
   */
  sample(nowMs: number): HostEvent[] {
    const all = [...parseConnections(this.#proc.text('net/tcp'), 'ipv4'), ...this.#ipv6()]
    if (all.length > connectionsMax) {
      // Changes in the meantime are unknown, so the next call is a first one again.
      this.#known = undefined
      const message = `${all.length} connections are too many, more than ${connectionsMax}`
      throw new UnavailableError('io_failed', message, { canRetry: true, retryAfterMs: restMs })
    }
    const listening = new Set(all.filter(({ state }) => state === tcpStates.listen).map(({ local }) => local.port))
    const open = all.filter(
      ({ state }) => state !== tcpStates.listen && state !== tcpStates.timeWait && state !== tcpStates.close,
    )
    const before = this.#known
    const fresh = open.filter(({ id }) => before?.has(id) !== true)
    const owners = before === undefined ? new Map<number, number>() : this.#findOwners(fresh)
    const now = new Map<string, Known>()
    const events: HostEvent[] = []
    for (const connection of open) {
      const known = before?.get(connection.id) ?? {
        connection,
        isInbound: listening.has(connection.local.port),
        pid: owners.get(connection.inode),
      }
      now.set(connection.id, known)
      if (before !== undefined && !before.has(connection.id)) events.push(this.#event('connection.open', known, nowMs))
    }
    for (const [id, known] of before ?? []) if (!now.has(id)) events.push(this.#event('connection.close', known, nowMs))
    this.#known = now
    return events
  }

  #ipv6(): Connection[] {
    try {
      return parseConnections(this.#proc.text('net/tcp6'), 'ipv6')
    } catch {
      return [] // a kernel without IPv6
    }
  }

  /** Process by socket inode, as far as permissions and the bound allow. */
  #findOwners(connections: readonly Connection[]): Map<number, number> {
    const wanted = new Set(connections.map(({ inode }) => inode).filter((inode) => inode !== 0))
    const found = new Map<number, number>()
    if (wanted.size === 0) return found
    let looked = 0
    // Then the newest processes: a new connection often belongs to a new process.
    const pids = [...this.#owners, ...this.#proc.pids().reverse()]
    const owners: number[] = []
    for (const pid of new Set(pids)) {
      if (wanted.size === found.size || looked >= descriptorsMax) break
      const sockets = this.#proc.socketsOf(pid)
      looked += 1 + (sockets?.size ?? 0)
      for (const inode of sockets ?? []) {
        if (!wanted.has(inode) || found.has(inode)) continue
        found.set(inode, pid)
        owners.push(pid)
      }
    }
    this.#owners = [...new Set([...owners, ...this.#owners])].slice(0, 64)
    return found
  }

  #event(type: string, { connection, isInbound, pid }: Known, nowMs: number): HostEvent {
    const { local, remote, family } = connection
    const arrow = isInbound ? '<-' : '->'
    const name = pid === undefined ? '' : this.#nameOf(pid)
    const who = pid === undefined ? '' : ` (${name === '' ? '' : `${name}, `}pid ${pid})`
    const verb = type === 'connection.open' ? 'opened' : 'closed'
    return {
      t: nanos(nowMs),
      type,
      text: `TCP connection ${verb}: ${local.address}:${local.port} ${arrow} ${remote.address}:${remote.port}${who}`,
      attributes: {
        'network.transport': 'tcp',
        'network.type': family,
        'network.local.address': local.address,
        'network.local.port': local.port,
        'network.peer.address': remote.address,
        'network.peer.port': remote.port,
        'network.connection.direction': isInbound ? 'inbound' : 'outbound',
        ...(pid !== undefined && { 'process.pid': pid }),
        ...(name !== '' && { 'process.executable.name': name }),
      },
    }
  }
}
