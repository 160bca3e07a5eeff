/**
 * Preloaded into a server under measurement: notes how long its event loop is held, as the CPU time that its thread uses
 * from one call of a timer to the next. CPU time, because on a busy machine the thread also waits for a processor.
 * On SIGUSR2 it writes the longest hold since the last time, in milliseconds, to the file that BENCH_HOLDS_FILE names.
 */
import fs from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const file = process.env['BENCH_HOLDS_FILE']
if (isMainThread && file !== undefined) {
  let longestMs = 0
  let lastMs = cpuMs()
  setInterval(() => {
    const nowMs = cpuMs()
    longestMs = Math.max(longestMs, nowMs - lastMs)
    lastMs = nowMs
  }, 1).unref()
  process.on('SIGUSR2', () => {
    fs.writeFileSync(`${file}.new`, String(longestMs))
    fs.renameSync(`${file}.new`, file)
    longestMs = 0
  })
}

/** CPU time that this thread has used, milliseconds. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
