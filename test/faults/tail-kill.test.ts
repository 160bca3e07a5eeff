/** Files grow and are rotated at any moment while they are tailed, by a clew that is killed again and again: each line is stored once. */
import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveClew, temporaryFolder, type ServedClew } from '../scenarios/clew-process.ts'
import { awaitEvents, storedEvents } from '../support/stored-events.ts'

const kills = 12

/** Appends numbered lines to a file and rotates it, between two lines, in one of the two ways. */
class Writer {
  readonly lines: string[] = []
  readonly #name: string
  readonly #path: string
  readonly #way: 'rename' | 'copy'
  readonly #timers: NodeJS.Timeout[] = []
  #rotations = 0

  constructor(folder: string, name: string, way: 'rename' | 'copy', rotateEveryMs: number) {
    this.#name = name
    this.#path = join(folder, `${name}.log`)
    this.#way = way
    writeFileSync(this.#path, '')
    this.#timers.push(setInterval(() => this.#write(), 5))
    this.#timers.push(setInterval(() => this.#rotate(), rotateEveryMs))
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#write()
  }

  #write(): void {
    const count = 1 + (this.lines.length % 3)
    for (let n = 0; n < count; n++) this.lines.push(`${this.#name} ${String(this.lines.length).padStart(6, '0')}`)
    appendFileSync(this.#path, this.lines.slice(-count).join('\n') + '\n')
  }

  #rotate(): void {
    const rotated = `${this.#path}.${++this.#rotations}`
    if (this.#way === 'rename') {
      renameSync(this.#path, rotated)
      writeFileSync(this.#path, '')
    } else {
      copyFileSync(this.#path, rotated)
      truncateSync(this.#path, 0)
    }
  }
}

/** A clew that tails a folder, and its folder: it can be started again and again. */
function tailingClew() {
  const folder = temporaryFolder()
  const logs = join(folder, 'logs')
  mkdirSync(logs)
  const config = join(folder, 'clew.yaml')
  writeFileSync(config, `tail:\n  - { paths: '${logs}/*.log*', parser: plain, service: killed }\n`)
  return { logs, start: () => serveClew(join(folder, 'data'), ['--config', config]) }
}

/** All lines are of one writer, and their first word only of it. */
async function assertOnce({ url }: ServedClew, lines: readonly string[]): Promise<void> {
  const filter = { service: 'killed', query: lines[0]!.split(' ')[0]! }
  assert.ok(lines.length <= 10_000, 'one answer holds all lines')
  await awaitEvents(url, filter, lines.length)
  await sleep(1500)
  const bodies = (await storedEvents(url, filter)).map(({ body }) => body).sort()
  const seen = new Set(bodies)
  const lost = lines.filter((line) => !seen.has(line))
  const doubled = bodies.filter((body, index) => bodies[index - 1] === body)
  assert.deepEqual({ lost, doubled, count: bodies.length }, { lost: [], doubled: [], count: lines.length })
}

test(`${kills} kills: no line is lost, none is doubled`, async () => {
  const { logs, start } = tailingClew()
  const writers = [new Writer(logs, 'renamed', 'rename', 400), new Writer(logs, 'copied', 'copy', 400)]
  try {
    for (let kill = 0; kill < kills; kill++) {
      const clew = await start()
      await sleep(Math.random() * 700)
      const { signal } = await clew.stop('SIGKILL')
      assert.equal(signal, 'SIGKILL')
    }
  } finally {
    for (const writer of writers) writer.stop()
  }
  const clew = await start()
  try {
    for (const { lines } of writers) await assertOnce(clew, lines)
  } catch (error) {
    throw new Error(`after ${kills} kills: ${clew.stderr()}`, { cause: error })
  } finally {
    await clew.stop()
  }
})

test('hundreds of rotations by copying, at any moment of a read: no line is lost, none is doubled', async (t) => {
  const { logs, start } = tailingClew()
  const clew = await start()
  t.after(() => void clew.child.kill('SIGKILL'))
  const writer = new Writer(logs, 'copied', 'copy', 12)
  await sleep(8000)
  writer.stop()
  await assertOnce(clew, writer.lines)
  await clew.stop()
})
