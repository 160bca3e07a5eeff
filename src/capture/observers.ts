/** Every observer, one row each; like `receivers.ts`, for sources without a port. */
import { startFileTail } from './file-tail/file-tail.ts'
import { startHostEvents } from './host/host-events.ts'
import type { Observer, ObserverContext, ObserverRow } from './observer.ts'

const table: readonly ObserverRow[] = [
  { name: 'tail', enabled: (config) => config.tail !== '[]', start: startFileTail },
  { name: 'host', enabled: (config) => config.hostEvents.enabled, start: startHostEvents },
]

/** Starts the enabled ones; when one cannot start, those before it are stopped again. */
export async function startObservers(context: ObserverContext): Promise<Observer> {
  const started: Observer[] = []
  const close = async (): Promise<void> => {
    await Promise.all(started.map((observer) => observer.close()))
  }
  try {
    for (const row of table) if (row.enabled(context.config)) started.push(await row.start(context))
  } catch (error) {
    await close()
    throw error
  }
  const tailFigures = started.find((observer) => observer.tailFigures !== undefined)?.tailFigures
  return { close, ...(tailFigures === undefined ? {} : { tailFigures }) }
}
