/**
 * Datagrams that Linux dropped because a socket's buffer was full: the last column of /proc/net/udp and udp6 (proc(5)).
 *   sl local_address rem_address st tx_queue:rx_queue … inode ref pointer drops
 *   local_address = address, as little-endian 32-bit words in hex, ":" port in hex
 * On other systems the number is unknown and stays 0.
 */
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'

export class KernelDrops {
  readonly #path: string
  readonly #local: string
  #seen: number

  constructor(address: string, port: number) {
    this.#path = isIPv6(address) ? '/proc/net/udp6' : '/proc/net/udp'
    this.#local = `${hexAddress(address)}:${port.toString(16).toUpperCase().padStart(4, '0')}`
    this.#seen = this.#total()
  }

  /** Drops since the last call. */
  more(): number {
    const total = this.#total()
    const more = Math.max(0, total - this.#seen)
    this.#seen = total
    return more
  }

  #total(): number {
    try {
      return dropsOf(readFileSync(this.#path, 'latin1'), this.#local)
    } catch {
      return 0
    }
  }
}

export function dropsOf(table: string, local: string): number {
  let drops = 0
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/)
    if (columns[1] === local) drops += Number(columns.at(-1))
  }
  return drops
}

/** The address as the kernel prints it. */
export function hexAddress(address: string): string {
  const bytes = isIPv6(address) ? bytesOfIPv6(address) : address.split('.').map(Number)
  let hex = ''
  for (let word = 0; word < bytes.length; word += 4) {
    for (let i = 3; i >= 0; i--) hex += bytes[word + i]!.toString(16).padStart(2, '0')
  }
  return hex.toUpperCase()
}

function bytesOfIPv6(address: string): number[] {
  const [head = '', tail] = address.split('%')[0]!.split('::')
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0)
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff])
}
