/** Shows the progress of a long command: a bar on a terminal, elsewhere a line every few seconds. Always on stderr. */
import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  /** `done` of the total, followed by a short text. */
  update(done: number, note: string): void
  /** Prints the last state and restores the terminal. */
  stop(): void
}

const lineEveryMs = 5000
const redrawEveryMs = 100

/**
 * `total` may be 0 when it is unknown; `show` prints a count, for example as a size. A signal ends the process, unless
 * the caller handles signals itself.
 */
export function startProgress(
  label: string,
  total: number,
  show: (count: number) => string,
  { ownSignals = false }: { readonly ownSignals?: boolean } = {},
): Progress {
  const shareOf = (done: number) => (total === 0 ? show(done) : `${show(done)} of ${show(total)}`)
  if (process.stderr.isTTY && total > 0) {
    const bar = new SingleBar(
      {
        format: `${label} {bar} {percentage} %  {share}{note}`,
        stream: process.stderr,
        fps: 1000 / redrawEveryMs,
        hideCursor: true,
        clearOnComplete: true,
        // See `restoreOnSignal`: the library's own exit handling leaves the cursor hidden.
        gracefulExit: false,
      },
      Presets.shades_classic,
    )
    // Installed before the bar hides the cursor.
    const forget = ownSignals ? () => {} : restoreOnSignal(() => bar.stop())
    bar.start(total, 0, { share: shareOf(0), note: '' })
    return {
      update: (done, note) => bar.update(Math.min(done, total), { share: shareOf(done), note }),
      stop() {
        forget()
        bar.stop()
      },
    }
  }
  let printedAt = Date.now()
  return {
    update(done, note) {
      if (Date.now() - printedAt < lineEveryMs) return
      printedAt = Date.now()
      process.stderr.write(`${label}: ${shareOf(done)}${note}\n`)
    },
    stop: () => {},
  }
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/**
 * A signal that ends the process must not leave the terminal without cursor and line wrapping. Exits with the code that
 * a shell reports for the signal. Returns a function that removes the handlers.
 */
function restoreOnSignal(restore: () => void): () => void {
  const onSignal = (signal: NodeJS.Signals): void => {
    restore()
    process.exit(128 + signalNumbers[signal as keyof typeof signalNumbers])
  }
  const signals = Object.keys(signalNumbers) as NodeJS.Signals[]
  for (const signal of signals) process.on(signal, onSignal)
  return () => signals.forEach((signal) => process.off(signal, onSignal))
}
