/**
 * Appends to a log as fast as it can until it is killed: `node log-appender.ts DIR FIRST_ID sync|nosync`. Prints a line for
 * each thing that was promised, before anything else happens: `a POSITION ID` appended, `c NEXT` committed.
 */
import { writeSync } from 'node:fs'
import type { Position } from '../../src/model/log.ts'
import { openLocalLog } from '../../src/transport/local/local-log.ts'
import { logBody } from './log-body.ts'

const [dir = '', firstId = '0', syncing = 'sync'] = process.argv.slice(2)
const log = await openLocalLog({
  dir,
  sync: syncing === 'sync',
  maxBytes: 1024 * 1024 * 1024,
  minFreeBytes: 0,
  segmentBytes: 500_000,
  retryWindowMaxBytes: 2_000_000,
})
let id = Number(firstId)
let appended = 0

async function appendForever(): Promise<never> {
  for (;;) {
    const mine = id++
    const { position } = await log.append({
      signal: 'spans',
      codec: 'test',
      encoding: '',
      tenant: '',
      receivedAtMs: Date.now(),
      body: logBody(mine),
    })
    writeSync(1, `a ${position} ${mine}\n`)
    appended = Math.max(appended, position + 1)
  }
}

async function commitForever(): Promise<never> {
  for (;;) {
    const next = Math.max((await log.consumer('writer')).next, appended - 200)
    await log.commit('writer', { next: next as Position, cutEnd: (next + 100) as Position })
    writeSync(1, `c ${next}\n`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

await Promise.all([...Array.from({ length: 8 }, appendForever), commitForever()])
