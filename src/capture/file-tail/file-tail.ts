/**
 * Events from files. Each line, or several that belong together, is an event; see docs/capture.md for the options and
 * codec/tail/ for the grammars of the parsers.
 *
 * Limits: an event has at most 256 KiB, longer ones are cut; 2000 files, others are left out and counted; 4 MiB read
 * but not yet in the log. Reading goes on only when what was read before is durable, so a full log only causes delay.
 */
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Observer, ObserverContext } from '../observer.ts'
import { parseTailSources } from './tail-source.ts'
import { Tailer } from './tailer.ts'

/** Throws `InputError` when the option `tail` is wrong, `UnavailableError` when the positions cannot be kept. */
export async function startFileTail({ intake, log, logger, config }: ObserverContext): Promise<Observer> {
  const tailer = await Tailer.start({
    sources: parseTailSources(JSON.parse(config.tail)),
    dir: join(config.data, 'tail'),
    intake,
    log,
    logger: logger.child({ source: 'tail' }),
    host: hostname(),
    sync: config.durability.sync,
  })
  return { close: () => tailer.close(), tailFigures: () => tailer.tailFigures() }
}
