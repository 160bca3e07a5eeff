/** The engine in a child process (docs/adr/0019-engine-in-a-child-process.md). */
import type { Engine } from '../engine.ts'
import { ChildSessions } from './child-sessions.ts'
import { SessionEngine, sessionArguments, type SessionEngineOptions } from './session-engine.ts'

export interface ChildEngineOptions extends SessionEngineOptions {
  readonly onProblem: (message: string, error: unknown) => void
}

/**
 * In addition to what the engine counts itself (`memoryBytesMax`): threads, buffers of the allocator, answers, Node.
 */
const uncountedBytesMax = 512 * 2 ** 20

/** The engine in a child process. Rejects with `UnavailableError` when it cannot open the folder. */
export async function openChildEngine(options: ChildEngineOptions): Promise<Engine> {
  const { dir, memoryBytesMax, onProblem } = options
  const sessions = await ChildSessions.start({
    dir,
    sessionArguments: sessionArguments(options),
    anonymousBytesMax: memoryBytesMax + uncountedBytesMax,
    onLine: (line) => onProblem(`the engine says: ${line}`, undefined),
    onProblem,
  })
  return new SessionEngine(options, sessions)
}
