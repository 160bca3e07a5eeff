import assert from 'node:assert/strict'
import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { eventRows } from '../../../test/support/event-rows.ts'
import { InputError, UnavailableError } from '../../base/errors.ts'
import { tail } from '../../codec/tail/tail.ts'
import type { EventBatch } from '../../model/event-batch.ts'
import type { Log, Position } from '../../model/log.ts'
import { openLocalLog } from '../../transport/local/local-log.ts'
import { IntakeCounters } from '../counters.ts'
import { Intake } from '../intake.ts'
import { PositionFile } from './position-file.ts'
import { parseTailSources } from './tail-source.ts'
import { Tailer, type TailerOptions } from './tailer.ts'

const root = await mkdtemp(join(tmpdir(), 'clew-tail-'))
after(() => rm(root, { recursive: true, force: true }))
let folders = 0

/** A folder of logs, a real log, and a tailer that can be stopped, killed without cleanup, and started again. */
class Bench {
  readonly dir = join(root, `bench-${folders++}`)
  readonly counters = new IntakeCounters()
  lines: string[] = []
  tailer: Tailer | undefined
  log!: Log
  /** Called before each append; may throw. */
  before: () => void | Promise<void> = () => {}
  after: () => void = () => {}

  path(name: string): string {
    return join(this.dir, 'logs', name)
  }

  async start(entry: object = {}, options: Partial<TailerOptions> = {}): Promise<void> {
    await mkdir(join(this.dir, 'logs'), { recursive: true })
    this.log ??= await openLocalLog({
      dir: join(this.dir, 'log'),
      sync: false,
      maxBytes: 64 << 20,
      minFreeBytes: 0,
      retryWindowMs: 0,
    })
    const { log } = this
    const intake = new Intake({
      log: {
        ...log,
        append: async (record) => {
          await this.before()
          const appended = await log.append(record)
          this.after()
          return appended
        },
      },
      sink: {
        offer: (_place, { batch }) => {
          for (const row of eventRows(batch as EventBatch)) this.lines.push(row.body as string)
        },
      },
      counters: this.counters,
      bodyBytesMax: 4 << 20,
      concurrentMax: 64,
    })
    const sources = parseTailSources([{ paths: this.path('*.log'), parser: 'plain', multi_line: 'off', ...entry }])
    this.tailer = await Tailer.start({
      sources,
      dir: join(this.dir, 'state'),
      intake,
      log,
      logger: pino({ level: 'silent' }),
      host: 'box',
      sync: false,
      pollMs: 40,
      findMs: 80,
      joinWaitMs: 60,
      rotatedWaitMs: 150,
      copyWaitMs: 500,
      ...options,
    })
  }

  async stop(): Promise<void> {
    await this.tailer?.close()
    this.tailer = undefined
  }

  /** Bodies of all events in the log, in order. */
  async stored(): Promise<string[]> {
    const bodies: string[] = []
    for await (const record of this.log.read(0 as Position)) {
      const { batch } = tail.decode(record.body, { receivedAtMs: record.receivedAtMs })
      for (const row of eventRows(batch as EventBatch)) bodies.push(row.body as string)
    }
    return bodies
  }

  /** Waits until this many lines arrived, then a little longer, so that a surplus line is noticed. */
  async expect(expected: readonly string[]): Promise<void> {
    for (let waited = 0; waited < 5000 && this.lines.length < expected.length; waited += 10) await sleep(10)
    await sleep(150)
    assert.deepEqual([...this.lines].sort(), [...expected].sort())
  }
}

async function bench(t: TestContext): Promise<Bench> {
  const made = new Bench()
  t.after(async () => {
    await made.stop()
    await made.log?.close()
  })
  await mkdir(join(made.dir, 'logs'), { recursive: true })
  return made
}

const numbered = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `line ${from + i}`)
const textOf = (lines: readonly string[]): string => lines.map((line) => line + '\n').join('')

test('files that exist, grow or appear are read once, in order', async (t) => {
  const b = await bench(t)
  await writeFile(b.path('a.log'), textOf(numbered(0, 5)))
  await b.start()
  await b.expect(numbered(0, 5))
  await appendFile(b.path('a.log'), textOf(numbered(5, 10)))
  await b.expect(numbered(0, 10))
  assert.deepEqual(b.lines, numbered(0, 10))
  await writeFile(b.path('b.log'), 'from b\n')
  await writeFile(b.path('c.txt'), 'not tailed\n')
  await b.expect([...numbered(0, 10), 'from b'])
  assert.equal(b.tailer!.tailFigures().followed, 2)
})

test('a line is read when it is complete', async (t) => {
  const b = await bench(t)
  await b.start()
  await writeFile(b.path('a.log'), 'one\ntw')
  await b.expect(['one'])
  await appendFile(b.path('a.log'), 'o\n')
  await b.expect(['one', 'two'])
})

test('lines that belong together wait for each other, but not for ever', async (t) => {
  const b = await bench(t)
  await b.start({ multi_line: 'auto' })
  await writeFile(b.path('a.log'), 'boom\n  at x\n')
  await sleep(20)
  await appendFile(b.path('a.log'), '  at y\nnext\n')
  await b.expect(['boom\n  at x\n  at y', 'next'])
})

test('renamed: the rest is read under the new name, then the new file', async (t) => {
  const b = await bench(t)
  await writeFile(b.path('a.log'), 'one\n')
  await b.start()
  await b.expect(['one'])
  await rename(b.path('a.log'), b.path('a.log.1'))
  await appendFile(b.path('a.log.1'), 'two\nhalf')
  await writeFile(b.path('a.log'), 'three\n')
  await b.expect(['one', 'two', 'half', 'three'])
  assert.equal(b.tailer!.tailFigures().followed, 1)
})

test('renamed to a name that is tailed too: nothing is read twice', async (t) => {
  const b = await bench(t)
  await writeFile(b.path('a.log'), textOf(numbered(0, 3)))
  await b.start({ paths: b.path('a.log*') })
  await b.expect(numbered(0, 3))
  await rename(b.path('a.log'), b.path('a.log.1'))
  await writeFile(b.path('a.log'), textOf(numbered(3, 6)))
  await b.expect(numbered(0, 6))
  await rename(b.path('a.log.1'), b.path('a.log.2'))
  await rename(b.path('a.log'), b.path('a.log.1'))
  await writeFile(b.path('a.log'), textOf(numbered(6, 9)))
  await b.expect(numbered(0, 9))
})

for (const name of ['*.log', 'a.log*']) {
  test(`copied and truncated, with ${name}`, async (t) => {
    const b = await bench(t)
    await writeFile(b.path('a.log'), textOf(numbered(0, 50)))
    await b.start({ paths: b.path(name) })
    await b.expect(numbered(0, 50))
    for (let round = 1; round <= 4; round++) {
      const [from, to] = [50 * round, 50 * (round + 1)]
      await appendFile(b.path('a.log'), textOf(numbered(from, from + 25)))
      await copyFile(b.path('a.log'), b.path(`a.log.${round}`))
      await truncate(b.path('a.log'), 0)
      await appendFile(b.path('a.log'), textOf(numbered(from + 25, to)))
      await b.expect(numbered(0, to))
    }
    assert.equal(b.tailer!.tailFigures().truncations, 4)
  })
}

test('rewritten in the same length, and shorter', async (t) => {
  const b = await bench(t)
  await writeFile(b.path('a.log'), 'state 1\n')
  await b.start()
  await b.expect(['state 1'])
  await writeFile(b.path('a.log'), 'state 2\n')
  await b.expect(['state 1', 'state 2'])
  await writeFile(b.path('a.log'), 's 3\n')
  await b.expect(['state 1', 'state 2', 's 3'])
})

test('equal content is never mistaken for a repetition: in another file, at another place, rewritten', async (t) => {
  const b = await bench(t)
  await writeFile(b.path('a.log'), 'same\n')
  await b.start()
  await b.expect(['same'])
  await appendFile(b.path('a.log'), 'same\n')
  await b.expect(['same', 'same'])
  await unlink(b.path('a.log'))
  await b.expect(['same', 'same'])
  await writeFile(b.path('a.log'), 'same\n')
  await b.expect(['same', 'same', 'same'])
  await truncate(b.path('a.log'), 0)
  await sleep(150)
  await appendFile(b.path('a.log'), 'same\n')
  await b.expect(['same', 'same', 'same', 'same'])
  assert.equal(b.counters.of('tail', 'events').duplicates, 0)
})

test('replaced by a fresh copy of itself, with and without more: nothing is read twice', async (t) => {
  const b = await bench(t)
  await writeFile(b.path('a.log'), textOf(numbered(0, 20)))
  await b.start()
  await b.expect(numbered(0, 20))
  const replace = async (more: string): Promise<void> => {
    await copyFile(b.path('a.log'), b.path('tmp'))
    await appendFile(b.path('tmp'), more)
    await rename(b.path('tmp'), b.path('a.log'))
  }
  await replace('')
  await sleep(200)
  await appendFile(b.path('a.log'), textOf(numbered(20, 25)))
  await b.expect(numbered(0, 25))
  await replace(textOf(numbered(25, 30)))
  await b.expect(numbered(0, 30))
  // Another file of that name, with the same first lines, is read from its beginning.
  await writeFile(b.path('tmp'), textOf(numbered(0, 10)))
  await rename(b.path('tmp'), b.path('a.log'))
  await b.expect([...numbered(0, 30), ...numbered(0, 10)])
})

test('deleted: what was written before and after is read to the end', async (t) => {
  const b = await bench(t)
  const file = await open(b.path('a.log'), 'a')
  await file.appendFile('one\n')
  await b.start()
  await b.expect(['one'])
  await unlink(b.path('a.log'))
  await file.appendFile('two\n')
  await b.expect(['one', 'two'])
  await file.appendFile('three')
  await file.close()
  await b.expect(['one', 'two', 'three'])
  assert.equal(b.tailer!.tailFigures().followed, 0)
})

test('compressed rotated files, folders and excluded files are ignored', async (t) => {
  const b = await bench(t)
  await writeFile(b.path('a.log.1.gz'), 'packed\n')
  await mkdir(b.path('folder.log'))
  await writeFile(b.path('skip.log'), 'skip\n')
  await writeFile(b.path('a.log'), 'one\n')
  await symlink(b.path('a.log'), b.path('link.log'))
  await b.start({ paths: ['*.log', '*.gz', 'none/*.log'].map((name) => b.path(name)), exclude: b.path('skip*') })
  await b.expect(['one'])
})

test('a position survives a stop; rotation during the stop is followed', async (t) => {
  const b = await bench(t)
  await writeFile(b.path('a.log'), textOf(numbered(0, 40)))
  await writeFile(b.path('b.log'), 'b0\n')
  await b.start()
  await b.expect([...numbered(0, 40), 'b0'])
  await b.stop()
  // Renamed and started again; copied, truncated, and grown beyond the old position.
  await appendFile(b.path('a.log'), 'before rename\n')
  await rename(b.path('a.log'), b.path('a.log.1'))
  await writeFile(b.path('a.log'), 'after rename\n')
  await appendFile(b.path('b.log'), 'before copy\n')
  await copyFile(b.path('b.log'), b.path('b.log.1'))
  await truncate(b.path('b.log'), 0)
  await appendFile(b.path('b.log'), 'after copy\nand more\n')
  await b.start()
  await b.expect([...numbered(0, 40), 'b0', 'before rename', 'after rename', 'before copy', 'after copy', 'and more'])
  await b.stop()
  await b.start()
  await sleep(200)
  assert.equal(b.lines.length, 46)
})

test('a restored folder with other inodes is not read again', async (t) => {
  const b = await bench(t)
  await writeFile(b.path('a.log'), textOf(numbered(0, 600)))
  await b.start()
  await b.expect(numbered(0, 600))
  await b.stop()
  await copyFile(b.path('a.log'), b.path('tmp'))
  await rename(b.path('tmp'), b.path('a.log'))
  await appendFile(b.path('a.log'), 'new\n')
  await b.start()
  await b.expect([...numbered(0, 600), 'new'])
})

test('programs that begin with the same lines are not mistaken for copies of each other', async (t) => {
  const b = await bench(t)
  const banner = 'starting\nlistening on 8080\n'
  await writeFile(b.path('one.log'), banner)
  await b.start()
  await b.expect(['starting', 'listening on 8080'])
  await writeFile(b.path('two.log'), banner)
  await sleep(50)
  await appendFile(b.path('two.log'), 'two\n')
  const two = ['starting', 'listening on 8080', 'two']
  await b.expect([...two, 'starting', 'listening on 8080'])
  // Rotated at the program's start, and a file that stays this short.
  await rename(b.path('one.log'), b.path('one.log.1'))
  await writeFile(b.path('one.log'), banner)
  await writeFile(b.path('three.log'), 'starting\n')
  const all = [...two, ...two, ...two, 'starting'].filter((line, index) => line !== 'two' || index === 2)
  await b.expect(all)
})

test('the log is searched for a piece whose append may have happened, however long ago it was', async (t) => {
  const b = await bench(t)
  await writeFile(b.path('a.log'), textOf(numbered(0, 10)))
  // The process "dies" after the append and before it learns about it.
  let isDead = false
  b.after = () => {
    isDead = true
    throw new UnavailableError('shutting_down', 'killed')
  }
  await b.start()
  while (!isDead) await sleep(5)
  await b.stop()
  const state = await PositionFile.open(join(b.dir, 'state', 'positions'), false)
  assert.ok([...state.positions.states.values()][0]!.pending !== undefined)
  await state.positions.close()
  b.after = () => {}
  await appendFile(b.path('a.log'), textOf(numbered(10, 20)))
  await b.start()
  await b.expect(numbered(10, 20))
  assert.equal(b.counters.of('tail', 'events').duplicates, 0)
  assert.deepEqual(await b.stored(), numbered(0, 20))
})

test('a piece whose append did not happen is appended with the same bytes, although the file grew', async (t) => {
  const b = await bench(t)
  await writeFile(b.path('a.log'), textOf(numbered(0, 10)))
  let isDead = false
  b.before = () => {
    isDead = true
    throw new UnavailableError('shutting_down', 'killed')
  }
  await b.start()
  while (!isDead) await sleep(5)
  await b.stop()
  b.before = () => {}
  await appendFile(b.path('a.log'), textOf(numbered(10, 20)))
  await b.start()
  await b.expect(numbered(0, 20))
  assert.equal(b.log.stats().appendedRecords, 2)
})

test('when the log is full the tailer waits; it reads nothing meanwhile and loses nothing', async (t) => {
  const b = await bench(t)
  let isFull = true
  b.before = () => {
    if (isFull) throw new UnavailableError('log_full', 'full', { retryAfterMs: 20 })
  }
  await writeFile(b.path('a.log'), textOf(numbered(0, 1000)))
  await b.start()
  await sleep(200)
  assert.deepEqual(b.lines, [])
  assert.ok(b.counters.of('tail', 'events').refused > 1)
  isFull = false
  await b.expect(numbered(0, 1000))
})

test('a disk that fails in the middle: a piece that was appended is not appended again', async (t) => {
  const b = await bench(t)
  let failures = 2
  b.after = () => {
    if (failures-- > 0) throw new Error('the disk says no')
  }
  await writeFile(b.path('a.log'), textOf(numbered(0, 10)))
  await b.start()
  await sleep(300)
  await appendFile(b.path('a.log'), textOf(numbered(10, 20)))
  for (let waited = 0; waited < 8000 && b.log.stats().appendedRecords < 2; waited += 20) await sleep(20)
  await sleep(1300)
  await appendFile(b.path('a.log'), textOf(numbered(20, 30)))
  await b.expect(numbered(20, 30))
  assert.deepEqual(await b.stored(), numbered(0, 30))
})

test('large files are read in bounded pieces', async (t) => {
  const b = await bench(t)
  const line = 'x'.repeat(997)
  await writeFile(b.path('a.log'), (line + '\n').repeat(8000))
  await writeFile(b.path('long.log'), 'y'.repeat(700_000) + '\n')
  await b.start()
  for (let waited = 0; waited < 8000 && b.lines.length < 8003; waited += 20) await sleep(20)
  assert.equal(b.lines.length, 8003)
  assert.equal(b.lines.filter((each) => each.startsWith('y')).join('').length, 700_000)
  assert.ok(b.log.stats().appendedRecords >= 26)
})

test('files beyond the limit are left out and counted; start_at end; invalid text', async (t) => {
  const b = await bench(t)
  for (let n = 0; n < 6; n++) await writeFile(b.path(`${n}.log`), 'old\n')
  await b.start({ start_at: 'end' }, { filesMax: 4 })
  await sleep(200)
  assert.deepEqual([b.lines.length, b.tailer!.tailFigures().followed, b.tailer!.tailFigures().skipped], [0, 4, 2])
  // A file that grows is not counted again. Once there is room it begins at its own place.
  for (let k = 0; k < 3; k++) {
    for (let n = 0; n < 6; n++) await appendFile(b.path(`${n}.log`), `${n}\n`)
    await sleep(50)
  }
  for (let waited = 0; waited < 5000 && b.lines.length < 12; waited += 10) await sleep(10)
  const followed = [...new Set(b.lines)]
  assert.deepEqual([b.lines.length, followed.length, b.tailer!.tailFigures().skipped], [12, 4, 2])
  await unlink(b.path(`${followed[0]}.log`))
  for (let waited = 0; waited < 5000 && b.lines.length < 15; waited += 10) await sleep(10)
  assert.deepEqual([b.lines.length, new Set(b.lines).size], [15, 5])
  assert.deepEqual([b.tailer!.tailFigures().followed, b.tailer!.tailFigures().skipped], [4, 1])
  b.lines = []
  await b.stop()
  for (let n = 0; n < 6; n++) await appendFile(b.path(`${n}.log`), Buffer.from([0x61, 0xff, 0x0a]))
  await b.start({ start_at: 'end' })
  await b.expect(Array.from({ length: 4 }, () => 'a\ufffd'))
  assert.ok(b.tailer!.tailFigures().notUtf8 > 0)
  await writeFile(b.path('new.log'), 'new\n')
  await b.expect([...Array.from({ length: 4 }, () => 'a\ufffd'), 'new'])
})

test('positions: the last line of a file counts, torn and damaged lines do not', async () => {
  const path = join(root, 'positions-test')
  const print = { bytes: 0, hash: '' }
  const state = (key: string, offset: number) => ({
    key,
    file: 'f',
    path: '/x',
    offset,
    head: print,
    last: print,
    atMs: 7,
  })
  const first = await PositionFile.open(path, true)
  await first.positions.write([state('1:1', 5), state('1:2', 7)])
  await first.positions.write([state('1:1', 9)], ['1:2'])
  await first.positions.close()
  await appendFile(path, (await readFile(path, 'utf8')).split('\n')[0]!.slice(0, 30))
  const second = await PositionFile.open(path, true)
  assert.equal(second.damagedLines, 1)
  assert.deepEqual([...second.positions.states.values()], [state('1:1', 9)])
  for (let n = 0; n < 8000; n++) await second.positions.write([{ ...state('1:1', n), path: '/x'.repeat(50) }])
  assert.ok((await readFile(path)).length < 1_500_000)
  await second.positions.close()
  const third = await PositionFile.open(path, true)
  assert.equal(third.positions.states.get('1:1')!.offset, 7999)
  await third.positions.close()
})

test('an invalid configuration is refused with the place and what would be right', () => {
  const wrong: [unknown, RegExp][] = [
    [{}, /^cannot use tail: expected a list of maps/],
    [[{}], /^cannot use tail\[0\]\.paths: /],
    [[{ paths: 'relative.log' }], /^cannot use tail\[0\]\.paths: .*/],
    [[{ paths: '/x', parser: 'xml' }], /^cannot use tail\[0\]\.parser: /],
    [[{ paths: '/x', parsr: 'json' }], /^cannot use tail\[0\]: unknown key parsr; did you mean parser\?/],
    [[{ path: '/x' }], /^cannot use tail\[0\]: unknown key path; did you mean paths\?/],
    [[{ paths: '/x' }, { paths: '/y', parser: { pattern: '(' } }], /^cannot use tail\[1\]: .*regular expression/],
    [[{ paths: '/x', parser: { pattern: '^x$' } }], /names no groups/],
    [[{ paths: '/x', multi_line: { start: '[' } }], /regular expression/],
    [[{ paths: '/x', encoding: 'ebcdic' }], /^cannot use tail\[0\]\.encoding: /],
  ]
  for (const [value, message] of wrong) {
    assert.throws(
      () => parseTailSources(value),
      (error) => error instanceof InputError && error.code === 'bad_config' && message.test(error.message),
      String(message),
    )
  }
  assert.deepEqual(parseTailSources([]), [])
})
