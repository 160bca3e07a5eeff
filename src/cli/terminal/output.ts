/** Writes results to stdout so that pipes work: a slow reader slows us down, a reader that leaves ends us quietly. */

import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** `clew traces | head -1` closes the pipe early: that is no error. */
export function ignoreClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(0)
    })
  }
}

/** Resolves once the stream accepts more, so that a large result is not collected in memory. Rejects when it breaks. */
export async function write(text: string | Uint8Array, stream: Writable = process.stdout): Promise<void> {
  if (stream.errored !== null) throw stream.errored
  if (!stream.write(text)) await once(stream, 'drain')
}

export async function writeLines(lines: Iterable<string>, stream: Writable = process.stdout): Promise<void> {
  for (const line of lines) await write(line + '\n', stream)
}

/** One JSON value, indented for people on a terminal, on one line elsewhere. */
export async function writeJson(value: unknown): Promise<void> {
  await write(JSON.stringify(value, null, process.stdout.isTTY ? 2 : 0) + '\n')
}
