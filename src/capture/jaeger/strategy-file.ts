/**
 * Sampling strategies in a file that may change while clew runs. When it is broken, the old strategies stay in force.
 */
import { readFileSync, statSync, unwatchFile, watchFile } from 'node:fs'
import { InputError, messageOf } from '../../base/errors.ts'
import type { Listener } from '../receiver.ts'
import { parseSamplingStrategies, sampleEverything, type SamplingStrategies } from './sampling-strategies.ts'

const fileBytesMax = 4 << 20
/** How often the file's state is checked; editors and Kubernetes replace files rather than write to them. */
const lookEveryMs = 1000

export interface StrategyFileEvents {
  readonly onChange?: () => void
  readonly onProblem?: (problem: string) => void
}

/** What a listener returns from a file of strategies, which is watched until the listener closes. */
export async function listenWithStrategies(
  strategies: StrategyFile,
  listen: () => Promise<Listener>,
): Promise<Listener> {
  strategies.watch()
  try {
    const listener = await listen()
    return { ...listener, close: () => listener.close().finally(() => strategies.close()) }
  } catch (error) {
    strategies.close()
    throw error
  }
}

export class StrategyFile {
  current: SamplingStrategies = sampleEverything
  readonly #file: string
  readonly #events: StrategyFileEvents
  readonly #look = (): void => this.#reload()

  /** `file` '' means none. Throws `InputError` `bad_config` when it cannot be read. */
  constructor(file: string, events: StrategyFileEvents = {}) {
    this.#file = file
    this.#events = events
    if (file !== '') this.current = readStrategies(file)
  }

  watch(): void {
    if (this.#file !== '') watchFile(this.#file, { interval: lookEveryMs, persistent: false }, this.#look)
  }

  close(): void {
    if (this.#file !== '') unwatchFile(this.#file, this.#look)
  }

  #reload(): void {
    try {
      this.current = readStrategies(this.#file)
      this.#events.onChange?.()
    } catch (error) {
      this.#events.onProblem?.(`${messageOf(error)}; the strategies before stay in force`)
    }
  }
}

function readStrategies(file: string): SamplingStrategies {
  let text: string
  try {
    const { size } = statSync(file)
    if (size > fileBytesMax) throw new Error(`it has ${size} bytes, at most ${fileBytesMax} are allowed`)
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new InputError('bad_config', `cannot read ${file}: ${messageOf(error)}`, { at: file, cause: error })
  }
  try {
    return parseSamplingStrategies(text)
  } catch (error) {
    throw new InputError('bad_config', `${messageOf(error)} in ${file}`, { at: file, cause: error })
  }
}
