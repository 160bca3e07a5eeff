/**
 * What is wrong with the data folder while clew runs: the disk is full, or somebody removed the folder or a part of it. The
 * engine makes removed folders again and goes on inserting, so nothing else notices until the next start.
 */
import { existsSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../base/errors.ts'
import { printSize } from '../base/size.ts'

export interface FolderProblem {
  readonly code: 'data_removed' | 'disk_full' | 'io_failed'
  readonly message: string
}

/** What exists as long as clew runs: its own lock, the log, and the store with the engine's lock. */
const parts = ['clew.lock', 'log', 'store/clew.lock']

export function folderProblems(dataDir: string, minFreeBytes: number): FolderProblem[] {
  const missing = parts.filter((part) => !existsSync(join(dataDir, part)))
  if (missing.length > 0) {
    const message = `the data folder ${dataDir} was removed, or a part of it: ${missing.join(', ')} is not there; stop clew, put the folder back if you can, and start clew`
    return [{ code: 'data_removed', message }]
  }
  try {
    const { bavail, bsize } = statfsSync(dataDir)
    if (bavail * bsize >= minFreeBytes) return []
    const message = `only ${printSize(bavail * bsize)} of disk are free in ${dataDir}, clew keeps ${printSize(minFreeBytes)}: free some, or lower retention`
    return [{ code: 'disk_full', message }]
  } catch (error) {
    return [{ code: 'io_failed', message: `cannot ask for the room in ${dataDir}: ${messageOf(error)}` }]
  }
}
