/**
 * Which process holds a port or a folder, read from /proc (proc(5)). Only Linux has /proc, and it shows only processes
 * of the same user. When no process is found, doctor says nothing about it.
 */
import { readFile, readdir, readlink, realpath } from 'node:fs/promises'

export interface Process {
  readonly pid: number
  readonly command: string
}

/** The process that listens on a TCP port. */
export async function portHolder(port: number): Promise<Process | undefined> {
  const inodes = new Set(
    (await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((file) => listeningInodes(file, port)))).flat(),
  )
  return inodes.size === 0 ? undefined : holderOf((target) => inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? ''))
}

/** A process, other than this one, that has a file in the folder open for writing. */
export async function folderHolder(folder: string): Promise<Process | undefined> {
  const real = await realpath(folder).catch(() => folder)
  return holderOf(async (target, infoFile) => target.startsWith(real + '/') && (await isForWriting(infoFile)))
}

/** fdinfo has the flags of open(2) in octal; the last two bits are 0 for reading only. */
async function isForWriting(infoFile: string): Promise<boolean> {
  const text = await readFile(infoFile, 'utf8').catch(() => '')
  return (parseInt(/^flags:\s*([0-7]+)$/m.exec(text)?.[1] ?? '0', 8) & 3) !== 0
}

/** Fields of a line: `sl local_address rem_address st … inode`; state 0A is LISTEN. */
async function listeningInodes(file: string, port: number): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const suffix = ':' + port.toString(16).toUpperCase().padStart(4, '0')
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === '0A')
    .map((fields) => fields[9] ?? '')
}

async function holderOf(
  matches: (target: string, infoFile: string) => boolean | Promise<boolean>,
): Promise<Process | undefined> {
  const names = await readdir('/proc').catch(() => [])
  for (const name of names) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    const descriptors = await readdir(`/proc/${name}/fd`).catch(() => [])
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${name}/fd/${descriptor}`).catch(() => '')
      if (await matches(target, `/proc/${name}/fdinfo/${descriptor}`))
        return { pid: Number(name), command: await commandOf(name) }
    }
  }
  return undefined
}

async function commandOf(pid: string): Promise<string> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return line.replaceAll('\0', ' ').trim().slice(0, 80)
}
