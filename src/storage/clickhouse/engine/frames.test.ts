import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameReader, encodeHeader, frameKinds, type Frame } from './frames.ts'

const frame: fc.Arbitrary<Frame> = fc.record(
  {
    kind: fc.constantFrom(...Object.values(frameKinds)),
    session: fc.nat(255),
    id: fc.nat(2 ** 32 - 1),
    payload: fc.uint8Array({ maxLength: 60 }),
  },
  { noNullPrototype: true },
)

test('frames come out as they went in, however the socket cuts them', () => {
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (frames, cuts) => {
      const bytes = Buffer.concat(frames.flatMap((each) => [encodeHeader(each), each.payload]))
      const read: Frame[] = []
      const reader = new FrameReader((each) => read.push({ ...each, payload: new Uint8Array(each.payload) }))
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const end = at + cuts[cut % cuts.length]!
        reader.push(bytes.subarray(at, end))
        at = end
      }
      assert.deepEqual(read, frames)
    }),
  )
})

test('a large frame in many pieces takes time in proportion to its size', () => {
  const payload = new Uint8Array(64 << 20)
  let readBytes = 0
  const reader = new FrameReader((each) => (readBytes += each.payload.length))
  reader.push(encodeHeader({ kind: frameKinds.answer, session: 0, id: 1, payload }))
  const startedMs = performance.now()
  for (let at = 0; at < payload.length; at += 65_536) reader.push(Buffer.from(payload.buffer, at, 65_536))
  assert.equal(readBytes, payload.length)
  assert.ok(performance.now() - startedMs < 5000, 'joined once, not piece by piece')
})
