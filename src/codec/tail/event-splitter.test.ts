import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventBytesMax, splitEvents } from './event-splitter.ts'
import { makeJoiner } from './line-joiner.ts'
import type { FileEncoding, JoinRule } from './tail-format.ts'

const growing = { isQuiet: false, isEnd: false }
const ended = { isQuiet: true, isEnd: true }

function split(text: string | Buffer, join: JoinRule, state = growing, encoding: FileEncoding = 'utf-8'): number[] {
  return splitEvents(Buffer.from(text as string), {
    joiner: makeJoiner(join),
    encoding,
    readsContainers: true,
    ...state,
  })
}

test('lines are complete with their line end', () => {
  assert.deepEqual(split('a\nbb\nccc', 'off'), [2, 5])
  assert.deepEqual(split('a\nbb\nccc', 'off', { isQuiet: true, isEnd: false }), [2, 5])
  assert.deepEqual(split('a\nbb\nccc', 'off', ended), [2, 5, 8])
  assert.deepEqual(split('', 'off', ended), [])
})

test('an event that could continue is complete when the next begins, or when the file is quiet', () => {
  assert.deepEqual(split('a\n b\nc\n', 'auto'), [5])
  assert.deepEqual(split('a\n b\nc\n', 'auto', { isQuiet: true, isEnd: false }), [5, 7])
  assert.deepEqual(split('a\n b\nc\nd', 'auto', { isQuiet: true, isEnd: false }), [5, 7])
})

test("the pieces of a container's line are one event, whatever lines come between them", () => {
  const time = '2026-11-23T10:00:00.1Z'
  const [p, f, e] = [`${time} stdout P x\n`, `${time} stdout F y\n`, `${time} stderr F z\n`]
  const half = `{"log":"a\\\\n","stream":"stdout","time":"${time}"}\n`
  const whole = `{"log":"a\\n","stream":"stdout","time":"${time}"}\n`
  for (const [lines, ends] of [
    [
      [f, f],
      [1, 2],
    ],
    [
      [p, p, f, f],
      [3, 4],
    ],
    [
      [p, e, f, e],
      [3, 4],
    ],
    [
      [p, 'text\n', f],
      [1, 2, 3],
    ],
    [
      [half, half, whole, whole],
      [3, 4],
    ],
    [[f, p], [1]],
  ] as const) {
    const bytes = (count: number): number => lines.slice(0, count).join('').length
    assert.deepEqual(split(lines.join(''), 'off'), ends.map(bytes))
  }
})

test('a line that is too long is cut, between characters', () => {
  const text = 'é'.repeat(eventBytesMax) + '\nnext\n'
  const ends = split('x' + text, 'off')
  assert.equal(ends.length, 4)
  assert.ok(ends[0]! <= eventBytesMax && ends[0]! % 2 === 1)
  assert.deepEqual(split('y'.repeat(eventBytesMax + 1), 'off'), [eventBytesMax])
})

test('an event of too many lines is cut between lines', () => {
  const line = ' ' + 'z'.repeat(9999) + '\n'
  const ends = split('a\n' + line.repeat(40), 'auto')
  assert.ok(ends.length === 1 && ends[0]! <= eventBytesMax)
})

test('the decoder sees the same events that the tailer cut while the file grew', () => {
  const line = fc.constantFrom(
    '',
    'a',
    ' indented',
    'Traceback (most recent call last):',
    'KeyError: 1',
    'Caused by: x',
    '}',
    'goroutine 1 [running]:',
    'panic: x',
    '2026-11-23T10:00:00.1Z stdout F one',
    '2026-11-23T10:00:00.1Z stdout P a piece',
    '2026-11-23T10:00:00.1Z stderr F   indented',
    '2026-11-23T10:00:00.1Z stderr P ',
    '{"log":"half","stream":"stdout","time":"2026-11-23T10:00:00Z"}',
    '{"log":"whole\\n","stream":"stderr","time":"2026-11-23T10:00:00Z"}',
    'During handling of the above exception, another exception occurred:',
  )
  const join = fc.constantFrom<JoinRule>('off', 'auto', 'indent', { start: '^a' })
  const encoding = fc.constantFrom<FileEncoding>('utf-8', 'utf-16le')
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 25 }),
      join,
      encoding,
      fc.array(fc.nat(60), { maxLength: 20 }),
      (lines, rule, code, steps) => {
        const bytes = Buffer.from(lines.map((each) => each + '\n').join(''), code === 'utf-16le' ? 'utf16le' : 'utf8')
        const joiner = makeJoiner(rule)
        const cut: number[] = []
        let offset = 0
        let size = 0
        for (const step of [...steps, bytes.length]) {
          size = Math.min(bytes.length, size + step)
          const isLast = size === bytes.length
          const ends = splitEvents(bytes.subarray(offset, size), {
            joiner,
            encoding: code,
            readsContainers: true,
            isQuiet: isLast,
            isEnd: isLast,
          })
          const piece = bytes.subarray(offset, offset + (ends.at(-1) ?? 0))
          assert.deepEqual(splitEvents(piece, { joiner, encoding: code, readsContainers: true, ...ended }), ends)
          cut.push(...ends.map((end) => end + offset))
          offset += ends.at(-1) ?? 0
        }
        assert.equal(offset, bytes.length)
        assert.deepEqual(cut, splitEvents(bytes, { joiner, encoding: code, readsContainers: true, ...ended }))
      },
    ),
    { numRuns: 2000 },
  )
})
