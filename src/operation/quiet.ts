/**
 * Gives memory back when no data has arrived for a while. A collector runs only when memory is allocated, so without
 * this an idle process would keep all the memory that a burst of spans needed.
 */
import v8 from 'node:v8'
import vm from 'node:vm'
import { trimHeap } from './memory-settings.ts'

export interface QuietOptions {
  /** A number that grows while there is work. */
  readonly progress: () => number
  /** Frees memory before the collector runs. `quietMs` is how long there was no work. */
  readonly release: (quietMs: number) => Promise<void>
  /** Called when `release` fails, as it does while the engine is down. The next attempt may succeed. */
  readonly onProblem: (message: string, error: unknown) => void
  readonly afterMs?: number
}

/**
 * Ticks without work after which memory is given back: several times, because the engine goes on merging for a while.
 */
const releaseAt = [1, 3, 15]

export function watchQuiet(options: QuietOptions): { stop(): void } {
  const afterMs = options.afterMs ?? 20_000
  let seen = options.progress()
  let quietTicks = 0
  const timer = setInterval(() => {
    const now = options.progress()
    quietTicks = now === seen ? quietTicks + 1 : 0
    seen = now
    if (!releaseAt.includes(quietTicks)) return
    options
      .release(quietTicks * afterMs)
      .catch((error: unknown) => options.onProblem('cannot give back memory', error))
      .finally(collect)
  }, afterMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

/** Two full collections: buffers whose owners die in the first are freed in the second, and then their pages. */
function collect(): void {
  v8.setFlagsFromString('--expose-gc')
  const gc = vm.runInNewContext('gc') as () => void
  gc()
  setImmediate(() => {
    gc()
    trimHeap()
  })
}
