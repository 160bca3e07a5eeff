/** What the tests of the log share: a folder that goes away, records, and reading everything back. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Log, LogRecord, Position, StoredRecord } from '../../src/model/log.ts'
import { openLocalLog, type LocalLog, type LocalLogOptions } from '../../src/transport/local/local-log.ts'
import type { LogProblem } from '../../src/transport/local/problem.ts'

export async function temporaryFolder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'clew-log-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** Opens a small unsynced log whose problems fail the test unless it brings its own `onProblem`. */
export async function openLog(dir: string, options: Partial<LocalLogOptions> = {}): Promise<LocalLog> {
  return await openLocalLog({
    dir,
    sync: false,
    maxBytes: 64 * 1024 * 1024,
    minFreeBytes: 0,
    onProblem: fail,
    ...options,
  })
}

function fail(problem: LogProblem): never {
  throw new Error(`unexpected problem: ${problem.message}`)
}

export function record(body: string | Uint8Array, fields: Partial<LogRecord> = {}): LogRecord {
  return {
    signal: 'spans',
    codec: 'otlp-protobuf',
    encoding: '',
    tenant: '',
    receivedAtMs: Date.now(),
    body: typeof body === 'string' ? Buffer.from(body) : body,
    ...fields,
  }
}

export async function readAll(log: Log, from = 0, partition = 0): Promise<StoredRecord[]> {
  return await Array.fromAsync(log.read(from as Position, partition))
}

/** Everything in the log as `position:body`, joined by spaces. */
export async function textOf(log: Log, from = 0): Promise<string> {
  return (await readAll(log, from)).map(({ position, body }) => `${position}:${Buffer.from(body).toString()}`).join(' ')
}

/** Commits that everything before `next` is stored. */
export async function commitTo(log: LocalLog, name: string, next: number, cutEnd?: number): Promise<void> {
  await log.commit(name, { next: next as Position, cutEnd: cutEnd as Position | undefined })
}
