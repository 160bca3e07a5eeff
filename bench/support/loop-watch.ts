/**
 * Preloaded into a server under measurement: notes how long its event loop is held, as how late a timer of 1 ms comes.
 * On SIGUSR2 it writes the longest hold since the last time, in milliseconds, to the file that BENCH_HOLDS_FILE names.
 */
import fs from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const file = process.env['BENCH_HOLDS_FILE']
if (isMainThread && file !== undefined) {
  let longestMs = 0
  let lastMs = performance.now()
  setInterval(() => {
    const nowMs = performance.now()
    longestMs = Math.max(longestMs, nowMs - lastMs - 1)
    lastMs = nowMs
  }, 1).unref()
  process.on('SIGUSR2', () => {
    fs.writeFileSync(`${file}.new`, String(longestMs))
    fs.renameSync(`${file}.new`, file)
    longestMs = 0
  })
}
