import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Encoder } from '@msgpack/msgpack'
import fc from 'fast-check'
import { InputError } from '../../base/errors.ts'
import { gelfFrames } from './gelf-frames.ts'
import { lineFrames } from './line-frames.ts'
import { FrameBuffer, type FrameRule } from './frame-buffer.ts'
import { jsonFrames } from './json-frames.ts'
import { msgpackFrames } from './msgpack-frames.ts'
import { decodePeerMessages, encodePeerMessages } from './peer-messages.ts'
import { syslogFrames } from './syslog-frames.ts'

/** The messages as text, for a stream given in pieces; what is left at the end comes after `|`. */
function cut(rule: FrameRule, pieces: readonly (string | Uint8Array)[], bytesMax = 1000): string {
  const frames = new FrameBuffer(rule, bytesMax)
  const show = (messages: Uint8Array[]) => messages.map((message) => Buffer.from(message).toString('latin1'))
  const whole = pieces.flatMap((piece) => show(frames.push(typeof piece === 'string' ? Buffer.from(piece) : piece)))
  frames.check()
  return [...whole, ...show(frames.finish()).map((rest) => '|' + rest)].join(' ')
}

for (const [rule, pieces, expected] of [
  [lineFrames, ['a\nb\r\n\nc'], 'a b |c'],
  [lineFrames, ['a', 'b', '\n', 'c\n'], 'ab c'],
  [gelfFrames, ['{}\0{', '}\0\0'], '{} {}'],
  [gelfFrames, ['{"a":1}\n{"b":', '{}}\r\n', '{}'], '{"a":1} {"b":{}} |{}'],
  [gelfFrames, ['{\n"a":"}\\"{",\n"b":{\n}\n}\0{}\0'], '{\n"a":"}\\"{",\n"b":{\n}\n} {}'],
  [gelfFrames, ['{\n"a":"}\\', '"{"\n', '}', '\n{}\n\0'], '{\n"a":"}\\"{"\n} {}'],
  [gelfFrames, ['{}\n{"a":"cut\n{"b":1}\n'], '{} {"a":"cut {"b":1}'],
  [gelfFrames, ['text\n{}\n'], 'text\n{}'],
  [syslogFrames, ['<1>a\n<2>b\n'], '<1>a <2>b'],
  [syslogFrames, ['4 <1>a5 <2>bc<3>d\n'], '<1>a <2>bc <3>d'],
  [syslogFrames, ['1', '0 ', '<1>with\nLF', '4', ' <', '2>b'], '<1>with\nLF <2>b'],
  [syslogFrames, ['<1>a\0<2>b\0', '<3>c\n<4>', 'd\0'], '<1>a <2>b <3>c <4>d'],
  [syslogFrames, ['<1>a\nb\n c\0<2>d\0'], '<1>a\nb\n c <2>d'],
  [syslogFrames, ['<1>a\0<2>b\n', 'c\n', '\0', '<3>d\n<', '4>e\n\0\n'], '<1>a <2>b\nc\n <3>d <4>e\n'],
  [syslogFrames, ['<1>a\nb\n<2>c\n', 'd\r\n<'], '<1>a\nb <2>c d |<'],
  [syslogFrames, ['<1>a\nb', ' b\n', '<2>c\n5 <3>d\n<4>e\n5 apples'], '<1>a\nb b <2>c <3>d |<4>e\n5 apples'],
  [syslogFrames, ['<1>a\n16', ' <2>0123456789abc<3>d\n6 <', '4>efg\n'], '<1>a <2>0123456789abc <3>d <4>efg'],
  [syslogFrames, ['\ufeff<1>a\nb\n', '\ufeff4 <2>c<3>d\n'], '\u00ef\u00bb\u00bf<1>a\nb <2>c <3>d'],
  [syslogFrames, ['a\nb\0c\n<1>d\nab'], 'a b c |<1>d\nab'],
  [syslogFrames, ['2026 was a year\n5 apples\n'], '2026 was a year 5 apples'],
  [syslogFrames, ['6 <1>ab\n\n6 <1>cd\n'], '<1>ab <1>cd'],
  [jsonFrames, ['["a]",{"b":"\\"}"}] \n{"c":', '[1]}'], '["a]",{"b":"\\"}"}] {"c":[1]}'],
] as const) {
  test(`${rule.name} cuts ${JSON.stringify(pieces)}`, () => assert.equal(cut(rule(), pieces), expected))
}

test('a frame over the bound ends the stream, whole or not', () => {
  assert.throws(() => cut(lineFrames(), ['x'.repeat(11)], 10), { code: 'too_large' })
  assert.throws(() => cut(lineFrames(), ['x'.repeat(11) + '\n'], 10), { code: 'too_large' })
  assert.throws(() => cut(msgpackFrames(), [Buffer.from([0xdb, 0, 1, 0, 0]), Buffer.alloc(20)], 10), {
    code: 'too_large',
  })
  assert.equal(cut(lineFrames(), ['x'.repeat(9) + '\n'], 10), 'x'.repeat(9))
})

test('messages before an unreadable part of the stream are returned', () => {
  for (const [rule, bytes] of [
    [msgpackFrames(), Buffer.from([0x91, 0x01, 0x92, 0xc1])],
    [jsonFrames(), Buffer.from('[1] junk')],
    [lineFrames(), Buffer.from('short\n' + 'x'.repeat(101))],
  ] as const) {
    const frames = new FrameBuffer(rule, 100)
    assert.equal(frames.push(bytes).length, 1, rule.name)
    assert.throws(() => frames.check(), InputError)
    assert.throws(() => frames.push(bytes), InputError)
  }
})

test('bytes that begin no value end a msgpack or JSON stream', () => {
  assert.throws(() => cut(msgpackFrames(), [Buffer.from([0x92, 0xc1])]), InputError)
  assert.throws(() => cut(jsonFrames(), ['hello']), InputError)
})

const values = fc.jsonValue({ maxDepth: 4 })

test('msgpack values are cut where their writer ended them, for any pieces', () => {
  fc.assert(
    fc.property(
      fc.array(values, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(40), { maxLength: 12 }),
      (list, sizes) => {
        const encoded = list.map((value) => new Encoder().encode(value))
        const stream = Buffer.concat(encoded)
        const frames = new FrameBuffer(msgpackFrames(), 1 << 20)
        const found: Uint8Array[] = []
        let at = 0
        for (const size of [...sizes, stream.length]) {
          found.push(...frames.push(Uint8Array.from(stream.subarray(at, at + size))))
          at += size
        }
        assert.deepEqual(
          found.map((each) => Buffer.from(each).toString('hex')),
          encoded.map((each) => Buffer.from(each).toString('hex')),
        )
        assert.equal(frames.pendingBytes, 0)
      },
    ),
  )
})

test('later bytes do not change earlier messages', () => {
  const frames = new FrameBuffer(lineFrames(), 100)
  frames.push(Buffer.from('fir'))
  const [first] = frames.push(Buffer.from('st\nsec'))
  frames.push(Buffer.from('ond and more'))
  assert.equal(Buffer.from(first!).toString(), 'first')
})

test('messages and their senders are read back from a record unchanged', () => {
  const messages = fc.array(
    fc.record(
      { peer: fc.constantFrom('127.0.0.1', '::1'), body: fc.uint8Array({ maxLength: 300 }) },
      { noNullPrototype: true },
    ),
  )
  fc.assert(
    fc.property(messages, (list) => {
      const bytes = encodePeerMessages(list)
      const back: { peer: string; body: Uint8Array }[] = []
      decodePeerMessages(bytes, (peer, start, end) =>
        back.push({ peer, body: Uint8Array.from(bytes.subarray(start, end)) }),
      )
      assert.deepEqual(back, list)
    }),
  )
})

test('a record that is cut short is refused', () => {
  const bytes = encodePeerMessages([{ peer: '127.0.0.1', body: Buffer.from('hello') }])
  for (let length = 1; length < bytes.length; length++) {
    assert.throws(() => decodePeerMessages(bytes.subarray(0, length), () => {}), InputError)
  }
})

test('lines that belong to no message do not form an endless one', () => {
  const frames = new FrameBuffer(syslogFrames(), 1 << 20)
  const messages = frames.push(Buffer.from('<1>a\n' + 'more\n'.repeat(40_000) + 'rest'))
  assert.ok(messages.length > 1 && messages[0]!.length <= 64 * 1024)
})
