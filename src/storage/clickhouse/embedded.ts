/**
 * The engine in this process, for measurements and tests of the layers above it; `clew serve` has it in a child
 * process.
 */
import type { Engine } from './engine.ts'
import { OwnSessions } from './engine/own-sessions.ts'
import { SessionEngine, sessionArguments, type SessionEngineOptions } from './engine/session-engine.ts'

/** Throws `UnavailableError` when it cannot open the folder. */
export function openEmbedded(options: SessionEngineOptions): Engine {
  return new SessionEngine(options, new OwnSessions({ dir: options.dir, sessionArguments: sessionArguments(options) }))
}
