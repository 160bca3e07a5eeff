import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Log, LogRecord } from '../../model/log.ts'
import { openLocalLog } from './local-log.ts'

async function withLog(run: (log: Log) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'clew-repeats-'))
  const log = await openLocalLog({ dir, sync: false, maxBytes: 16 * 1024 * 1024, minFreeBytes: 0 })
  try {
    await run(log)
  } finally {
    await log.close()
    await rm(dir, { recursive: true })
  }
}

const record = (retryable?: boolean): LogRecord => ({
  signal: 'events',
  codec: 'lines',
  encoding: '',
  tenant: '',
  receivedAtMs: Date.now(),
  body: Buffer.from('disk is full\n'),
  ...(retryable === undefined ? {} : { retryable }),
})

test('equal bytes of a sender that never retries are stored each time', () =>
  withLog(async (log) => {
    const appended = [await log.append(record(false)), await log.append(record(false))]
    assert.deepEqual(
      appended.map(({ duplicate }) => duplicate),
      [false, false],
    )
    assert.equal(log.stats().appendedRecords, 2)
  }))

test('they do not make a later record of another sender a retry', () =>
  withLog(async (log) => {
    await log.append(record(false))
    assert.equal((await log.append(record())).duplicate, false)
    assert.equal((await log.append(record(true))).duplicate, true)
    assert.equal(log.stats().appendedRecords, 2)
  }))
