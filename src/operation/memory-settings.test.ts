import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { memorySettings, quietFlag } from './memory-settings.ts'

const megabyte = 1e6

/**
 * Leaves 200 MB of holes in the heap, below one block that is still in use, and prints the process's memory before and
 * after trimming.
 */
const program = `
import { trimHeap } from ${JSON.stringify(join(import.meta.dirname, 'memory-settings.ts'))}
let blocks = Array.from({ length: 2000 }, () => Buffer.alloc(100_000, 1))
globalThis.kept = blocks.at(-1)
blocks = undefined
gc()
await new Promise((resolve) => setTimeout(resolve, 100))
gc()
const before = process.memoryUsage.rss()
trimHeap()
console.log(JSON.stringify([before, process.memoryUsage.rss()]))`

test('trimming the heap gives back its free memory, without a warning', () => {
  const args = [quietFlag, '--expose-gc', '--input-type=module', '-e', program]
  const env = { PATH: process.env.PATH, ...memorySettings() }
  const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  assert.equal(stderr, '')
  const [before, after] = JSON.parse(stdout) as [number, number]
  assert.ok(before - after > 100 * megabyte, `${before / megabyte} MB, then ${after / megabyte} MB`)
})

test('when the heap cannot be trimmed, the buffers of sockets are not in it', () => {
  assert.ok(Number(memorySettings(false)['MALLOC_MMAP_THRESHOLD_']) < 65_536)
})
