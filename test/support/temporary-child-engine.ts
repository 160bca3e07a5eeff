/** The engine in a child process, in a folder that goes away with the test. It has no tables. */
import { openChildEngine, type ChildEngineOptions } from '../../src/storage/clickhouse/engine/child-engine.ts'
import type { Engine } from '../../src/storage/clickhouse/engine.ts'
import { engineOptions, temporaryDir } from './temporary-store.ts'

export interface TemporaryChildEngine {
  readonly engine: Engine
  readonly options: ChildEngineOptions
  /** What the engine reported so far. */
  readonly problems: readonly string[]
}

export async function temporaryChildEngine(t: {
  after(close: () => Promise<void>): void
}): Promise<TemporaryChildEngine> {
  const { dir, remove } = await temporaryDir()
  const problems: string[] = []
  const options = { ...engineOptions(dir), onProblem: (message: string) => void problems.push(message) }
  const engine = await openChildEngine(options)
  t.after(async () => {
    await engine.close()
    await remove()
  })
  return { engine, options, problems }
}
