/** Checks, one by one, what `clew serve` needs of this machine to start. They run only while no clew answers. */
import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { totalmem } from 'node:os'
import { dirname } from 'node:path'
import { messageOf } from '../../base/errors.ts'
import { fieldPathOf, flagOf } from '../../base/option.ts'
import type { OptionRow } from '../../base/option.ts'
import { printSize } from '../../base/size.ts'
import { optionSections } from '../../config/config.ts'
import type { Config } from '../../config/config.ts'
import { folderHolder, portHolder } from './processes.ts'

export interface Finding {
  readonly check: string
  readonly found: string
  /** What to do when something is wrong. */
  readonly remedy?: string
}

export async function localFindings(config: Config): Promise<Finding[]> {
  return [
    { check: 'Node', found: process.versions.node }, // main.ts has already rejected a version that is too old
    await folderFinding(config.data),
    await holderFinding(config.data),
    await spaceFinding(config),
    memoryFinding(config),
    ...(await Promise.all(portOptions(config).map(({ option, port }) => portFinding(option, config.host, port)))),
  ]
}

/** The folder may not exist yet. Then its nearest existing parent must be writable. */
async function folderFinding(data: string): Promise<Finding> {
  const check = 'data folder'
  const existing = await nearestExisting(data)
  const isFolder = (await stat(existing)).isDirectory()
  if (!isFolder) return { check, found: `${existing} is no folder`, remedy: `name another one with ${flagOf('data')}` }
  try {
    await access(existing, constants.W_OK | constants.X_OK)
  } catch {
    const remedy = `give this user the right to write in ${existing}, or name another folder with ${flagOf('data')}`
    return { check, found: `${existing} is not writable`, remedy }
  }
  return { check, found: existing === data ? `${data}, writable` : `${data}, will be created` }
}

async function holderFinding(data: string): Promise<Finding> {
  const check = 'data folder in use'
  const holder = await folderHolder(data)
  if (holder === undefined) return { check, found: 'no' }
  const remedy = `stop process ${holder.pid}, ask it with --url if it is a clew on another port, or name another folder with ${flagOf('data')}`
  return { check, found: `by process ${holder.pid} (${holder.command})`, remedy }
}

async function spaceFinding({ data, disk }: Config): Promise<Finding> {
  const { bavail, bsize } = await statfs(await nearestExisting(data))
  const finding = { check: 'free disk space', found: printSize(bavail * bsize) }
  if (bavail * bsize > disk.minFreeBytes) return finding
  const remedy = `make room: below ${printSize(disk.minFreeBytes)} (${flagOf('disk.min_free')}) new data is refused`
  return { ...finding, remedy }
}

function memoryFinding({ store }: Config): Finding {
  const total = totalmem()
  const finding = {
    check: 'memory',
    found: `${printSize(total)}, of which the engine may take ${printSize(store.memoryBytes)}`,
  }
  return store.memoryBytes < total * 0.8 ? finding : { ...finding, remedy: `lower ${flagOf('store.memory')}` }
}

function portOptions(config: Config): { option: OptionRow; port: number }[] {
  const options: readonly OptionRow[] = optionSections.flatMap((section) => [...section.options])
  return options
    .filter((option) => option.type === 'port' && isEnabled(config, option))
    .map((option) => ({ option, port: valueAt(config, fieldPathOf(option)) as number }))
    .filter(({ port }) => port > 0)
}

/** A receiver whose `enabled` is off needs no port, and TLS that is off needs none either. */
function isEnabled(config: Config, option: OptionRow): boolean {
  const receiver = fieldPathOf(option).slice(0, -1)
  if (option.name.endsWith('.tls_port') && valueAt(config, [...receiver, 'tls']) !== true) return false
  return valueAt(config, [...receiver, 'enabled']) !== false
}

function valueAt(config: Config, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], config)
}

async function portFinding(option: OptionRow, host: string, port: number): Promise<Finding> {
  const check = `port ${port}`
  const error = await listenError(host, port)
  if (error === undefined) return { check, found: `free (${option.name})` }
  const move = `move clew with ${flagOf(option.name)}`
  if (error.code === 'EACCES') return { check, found: 'needs more rights', remedy: `${move} to a port above 1023` }
  if (error.code !== 'EADDRINUSE') {
    return { check, found: messageOf(error), remedy: `name an address of this machine with ${flagOf('host')}` }
  }
  const holder = await portHolder(port)
  const who = holder === undefined ? '' : ` by process ${holder.pid} (${holder.command})`
  return {
    check,
    found: `in use${who}`,
    remedy: `${holder === undefined ? 'stop what listens there' : `stop process ${holder.pid}`}, or ${move}`,
  }
}

/** Listens there for a moment; returns the error, or `undefined` when listening works. */
function listenError(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(error))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}

async function nearestExisting(path: string): Promise<string> {
  for (let place = path; ; place = dirname(place)) {
    const exists = await stat(place).then(
      () => true,
      () => false,
    )
    if (exists || place === dirname(place)) return place
  }
}
