/**
 * The parts of /proc (proc(5)) that are sampled. Reads are synchronous on purpose: these files are not on a disk, and
 * passing a read of some microseconds to another thread costs more than the read.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

export class Proc {
  readonly dir: string

  constructor(dir = '/proc') {
    this.dir = dir
  }

  /** Throws the system's error when the file does not exist. */
  text(name: string): string {
    return readFileSync(join(this.dir, name), 'latin1')
  }

  /** Ids of the processes that are running now. */
  pids(): number[] {
    return readdirSync(this.dir)
      .filter((name) => name.charCodeAt(0) <= 57 && /^\d+$/.test(name))
      .map(Number)
  }

  process(pid: number): ProcessFacts | undefined {
    try {
      const facts = parseStat(this.text(`${pid}/stat`))
      if (facts === undefined) return undefined
      const command = readFileSync(join(this.dir, `${pid}/cmdline`), 'utf8')
      return { ...facts, commandLine: maskSecrets(command.replaceAll('\0', ' ').trim()).slice(0, commandCharsMax) }
    } catch {
      return undefined // it ended in this moment
    }
  }

  /** Inodes of the sockets that a process holds; undefined when this process may not read them. */
  socketsOf(pid: number): Set<number> | undefined {
    try {
      const dir = join(this.dir, String(pid), 'fd')
      const inodes = new Set<number>()
      for (const name of readdirSync(dir)) {
        const socket = /^socket:\[(\d+)\]$/.exec(targetOf(join(dir, name)))
        if (socket !== null) inodes.add(Number(socket[1]))
      }
      return inodes
    } catch {
      return undefined
    }
  }
}

/** '' for a descriptor that was closed since the folder was read; reading the folder uses one itself. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    return ''
  }
}

export interface ProcessFacts {
  readonly pid: number
  readonly parentPid: number
  /** At most 15 characters. */
  readonly name: string
  readonly commandLine: string
  /** Since boot, in ticks of 1/100 s. */
  readonly startTicks: number
}

const commandCharsMax = 1024
export const ticksPerSecond = 100

/** `pid (name) state ppid … starttime …`; the name may hold spaces and brackets. */
export function parseStat(text: string): Omit<ProcessFacts, 'commandLine'> | undefined {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  if (open < 0 || close < open) return undefined
  const rest = text.slice(close + 2).split(' ')
  const pid = Number.parseInt(text, 10)
  const [parentPid, startTicks] = [Number(rest[1]), Number(rest[19])]
  if (![pid, parentPid, startTicks].every(Number.isSafeInteger)) return undefined
  return { pid, parentPid, startTicks, name: Buffer.from(text.slice(open + 1, close), 'latin1').toString('utf8') }
}

const secretName = /passw(?:or)?d|secret|token|api[-_]?key|credential/i

/**
 * Replaces secret arguments with stars, judging by their names: `--password=x`, `API_TOKEN:x`, `--token x`. Looks at
 * one word after the other, because a command line may have megabytes.
 */
export function maskSecrets(commandLine: string): string {
  let isValue = false
  return commandLine.replaceAll(/\S+/g, (word) => {
    const isMasked = isValue && !word.startsWith('-')
    isValue = false
    if (isMasked) return '***'
    const named = secretName.exec(word)
    if (named === null) return word
    const nameEnd = named.index + named[0].length
    const sign = word.slice(nameEnd).search(/[=:]/)
    isValue = sign < 0
    return isValue || nameEnd + sign + 1 === word.length ? word : `${word.slice(0, nameEnd + sign + 1)}***`
  })
}

export interface Connection {
  /** Local and remote address and port; together they identify a connection. */
  readonly id: string
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly state: number
  readonly inode: number
  readonly family: 'ipv4' | 'ipv6'
}

export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** include/net/tcp_states.h */
export const tcpStates = { established: 1, timeWait: 6, close: 7, listen: 10 } as const

/**
 * `sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode …`, one connection per line after the first.
 */
export function parseConnections(text: string, family: Connection['family']): Connection[] {
  const connections: Connection[] = []
  for (const line of text.split('\n').slice(1)) {
    const [, local, remote, state, , , , , , inode] = line.trim().split(/ +/)
    if (local === undefined || remote === undefined || inode === undefined) continue
    connections.push({
      id: `${local}-${remote}`,
      local: parseEndpoint(local),
      remote: parseEndpoint(remote),
      state: Number.parseInt(state!, 16),
      inode: Number(inode),
      family,
    })
  }
  return connections
}

/** `0100007F:1F90`: 32-bit words in the machine's order (little-endian), the port in reading order. */
export function parseEndpoint(text: string): Endpoint {
  const [hex = '', port = ''] = text.split(':')
  const bytes = Buffer.from(hex, 'hex')
  if (bytes.length % 4 === 0) bytes.swap32()
  return { address: printAddress(bytes), port: Number.parseInt(port, 16) }
}

function printAddress(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.')
  const isMapped =
    bytes.length === 16 && bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff
  if (isMapped) return [...bytes.subarray(12)].join('.')
  const groups = Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16)).join(':')
  // The longest run of zeros is written as `::` (RFC 5952 §4.2).
  const run = [...groups.matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)[0]
  if (run === undefined) return groups
  const before = groups.slice(0, run.index).replace(/:$/, '')
  const after = groups.slice(run.index + run[0].length).replace(/^:/, '')
  return `${before}::${after}`
}
