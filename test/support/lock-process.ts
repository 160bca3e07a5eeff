/** Takes the lock of a folder, says how that went, and is killed holding it: `node lock-process.ts DIR`. */
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { UnavailableError } from '../../src/base/errors.ts'
import { lockFolder } from '../../src/storage/folder-lock.ts'

try {
  lockFolder(process.argv[2] ?? '')
  writeSync(1, 'locked\n')
  // Long enough for the others to find it held.
  await sleep(3000)
  process.kill(process.pid, 'SIGKILL')
} catch (error) {
  writeSync(1, `${error instanceof UnavailableError ? error.code : String(error)}\n`)
}
