/**
 * The entry point of the engine's process: it opens chDB and executes the frames on descriptor 3. It belongs to the
 * server that started it. When the server is gone, the descriptor closes. This process then ends at once, because the
 * store survives any kill.
 */
import fs from 'node:fs'
import net from 'node:net'
import { UnavailableError, messageOf } from '../../../base/errors.ts'
import { lockFolder, type FolderLock } from '../../folder-lock.ts'
import { dieOfCrashes } from './crash-signals.ts'
import { FrameReader, encodeHeader, frameKinds, payloadBytesMax, type FailurePayload, type Frame } from './frames.ts'
import type { OwnSessions } from './own-sessions.ts'
import type { RowStream, SessionsOptions } from './sessions.ts'

/** From 0 to 1000: when memory runs out, the kernel ends this process rather than the server. */
const outOfMemoryScore = '500'
/** The engine of a server that was killed keeps the folder for some moments. */
const lockWaitMs = 5000
const lockPauseMs = 50

const socket = new net.Socket({ fd: 3, readable: true, writable: true })
const streams = new Map<number, RowStream>()
let sessions: OwnSessions | undefined
let lock: FolderLock | undefined
let isClosed = false

function endNow(): void {
  // Work of the engine may be in flight, so an orderly exit could crash or wait.
  if (isClosed) process.exit(0)
  else process.kill(process.pid, 'SIGKILL')
}

function reply(request: Frame, kind: Frame['kind'], payload: Uint8Array): void {
  socket.cork()
  socket.write(encodeHeader({ ...request, kind, payload }))
  if (payload.length > 0) socket.write(payload)
  socket.uncork()
}

function answer(request: Frame, payload: Uint8Array): void {
  if (payload.length > payloadBytesMax) {
    const megabytes = Math.round(payload.length / 1e6)
    throw new Error(`the answer has ${megabytes} MB, more than one may have: narrow the question`)
  }
  reply(request, frameKinds.answer, payload)
}

const empty = new Uint8Array(0)

async function open({ dir, sessionArguments }: SessionsOptions): Promise<void> {
  lock = await lockStore(dir)
  // Loaded only here, so that a library that cannot be loaded is reported like a folder that cannot be opened.
  const { OwnSessions } = await import('./own-sessions.ts')
  sessions = new OwnSessions({ dir, sessionArguments })
  dieOfCrashes()
}

async function lockStore(dir: string): Promise<FolderLock> {
  const untilMs = Date.now() + lockWaitMs
  for (;;) {
    try {
      return lockFolder(dir)
    } catch (error) {
      const isHeld = error instanceof UnavailableError && error.code === 'store_locked'
      if (!isHeld || Date.now() > untilMs) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, lockPauseMs))
  }
}

async function fetchRows(request: Frame): Promise<void> {
  const rows = await streams.get(request.session)!.next()
  if (rows === undefined) reply(request, frameKinds.end, empty)
  else answer(request, Buffer.from(rows))
}

async function obey(request: Frame): Promise<void> {
  const text = Buffer.from(request.payload.buffer, request.payload.byteOffset, request.payload.length).toString()
  const { kind, session } = request
  if (kind === frameKinds.open) {
    await open(JSON.parse(text) as SessionsOptions)
    answer(request, empty)
  } else if (kind === frameKinds.ping) {
    answer(request, empty)
  } else if (kind === frameKinds.run) {
    answer(request, await sessions!.runForBytes(session, text))
  } else if (kind === frameKinds.stream) {
    streams.set(session, sessions!.stream(session, text))
    await fetchRows(request)
  } else if (kind === frameKinds.next) {
    await fetchRows(request)
  } else if (kind === frameKinds.cancel) {
    streams.get(session)?.cancel()
    streams.delete(session)
  } else if (kind === frameKinds.close) {
    await sessions?.close()
    lock?.release()
    isClosed = true
    reply(request, frameKinds.answer, empty)
  }
}

function fail(request: Frame, error: unknown): void {
  const { clickhouseCode } = error as { clickhouseCode?: number }
  const { code, canRetry } = error instanceof UnavailableError ? error : { code: undefined, canRetry: undefined }
  const payload: FailurePayload = { message: messageOf(error), clickhouseCode, code, canRetry }
  reply(request, frameKinds.failure, Buffer.from(JSON.stringify(payload)))
}

// A terminal or a supervisor signals all processes of a group. This one ends only when the server says so.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
try {
  fs.writeFileSync('/proc/self/oom_score_adj', outOfMemoryScore)
} catch {
  // Another system.
}
const reader = new FrameReader((request) => void obey(request).catch((error: unknown) => fail(request, error)))
socket.on('data', (piece: Buffer) => reader.push(piece))
for (const event of ['end', 'error', 'close']) socket.on(event, endNow)
