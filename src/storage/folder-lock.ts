/**
 * Only one process may use a data folder. The engine refuses a second one only on stderr, so clew holds a lock file of
 * its own. The file names the holder's process and its start time, so a file left by a killed process is known to be
 * stale.
 */
import fs from 'node:fs'
import path from 'node:path'
import { UnavailableError, messageOf } from '../base/errors.ts'

export interface FolderLock {
  release(): void
}

/**
 * Makes the folder when missing. Throws `UnavailableError` `store_locked` naming the holder, or `io_failed` when not
 * writable.
 */
export function lockFolder(dir: string): FolderLock {
  const file = path.join(dir, 'clew.lock')
  try {
    makeFolders(path.resolve(dir))
    fs.accessSync(dir, fs.constants.W_OK)
  } catch (error) {
    const message = `cannot use data folder ${dir}: ${messageOf(error)}; choose another with --data`
    throw new UnavailableError('io_failed', message, { cause: error, canRetry: false })
  }
  for (let tries = 0; tries < 3; tries++) {
    if (create(file)) return { release: () => fs.rmSync(file, { force: true }) }
    const holder = readHolder(file)
    if (holder !== undefined && isRunning(holder)) {
      const message = `data folder ${dir} is in use by process ${holder.pid}; stop it, or choose another folder with --data`
      throw new UnavailableError('store_locked', message, { canRetry: false })
    }
    removeStale(file)
  }
  throw new UnavailableError('store_locked', `cannot lock data folder ${dir}: others keep taking ${file}`)
}

/** Like `mkdir -p`. Node's own never returns where no folder can be made, such as in /proc. */
function makeFolders(dir: string): void {
  const parent = path.dirname(dir)
  if (parent !== dir && !fs.existsSync(parent)) makeFolders(parent)
  try {
    fs.mkdirSync(dir)
  } catch (error) {
    if (!fs.statSync(dir, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

/** The process that holds the folder now; `undefined` when none does. */
export function folderHolder(dir: string): number | undefined {
  const holder = readHolder(path.join(dir, 'clew.lock'))
  return holder !== undefined && isRunning(holder) ? holder.pid : undefined
}

interface Holder {
  readonly pid: number
  /** Start of the process in clock ticks since boot; '' where the system does not say. */
  readonly startTicks: string
}

/** The file appears with its content in it: a half-written one would look like the file of a killed process. */
function create(file: string): boolean {
  const holder: Holder = { pid: process.pid, startTicks: startTicksOf(process.pid) }
  const draft = `${file}.${process.pid}`
  try {
    fs.writeFileSync(draft, JSON.stringify(holder))
    linkOrCopy(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw writeFailure(file, error)
  } finally {
    fs.rmSync(draft, { force: true })
  }
}

/** Some file systems have no links. */
function linkOrCopy(from: string, to: string): void {
  try {
    fs.linkSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error
    fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL)
  }
}

/** Another process may have removed the file first and taken the lock meanwhile. Then its file is put back. */
function removeStale(file: string): void {
  const aside = `${file}.${process.pid}.stale`
  try {
    fs.renameSync(file, aside)
    const holder = readHolder(aside)
    if (holder !== undefined && isRunning(holder)) linkOrCopy(aside, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'EEXIST') throw writeFailure(file, error)
  } finally {
    fs.rmSync(aside, { force: true })
  }
}

function writeFailure(file: string, cause: unknown): UnavailableError {
  if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') {
    const message = `cannot write ${file}: the disk is full; free some space, or choose another folder with --data`
    return new UnavailableError('disk_full', message, { cause, canRetry: false })
  }
  return new UnavailableError('io_failed', `cannot write ${file}: ${messageOf(cause)}`, { cause, canRetry: false })
}

function readHolder(file: string): Holder | undefined {
  try {
    const holder = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<Holder> | null
    if (!(Number.isInteger(holder?.pid) && holder!.pid! > 0)) return undefined
    return { pid: holder!.pid!, startTicks: String(holder!.startTicks) }
  } catch {
    return undefined
  }
}

function isRunning(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return holder.startTicks === startTicksOf(holder.pid)
}

/**
 * Field 22 of /proc/PID/stat (proc(5)); the command name before it may hold spaces and parentheses. A process that has
 * ended and waits for its parent to notice (state Z) counts as gone.
 */
function startTicksOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '')
  } catch {
    return ''
  }
}
