import assert from 'node:assert/strict'
import { hash as digest } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { InputError } from '../../base/errors.ts'
import type { RecordHeader } from '../../model/log.ts'
import { bodyBytesMax, decodeRecordHeader, hashBytes, prepareRecordHeader, sealRecordHeader } from './record.ts'

const marker = Buffer.from('0123456789abcdef', 'hex')
const text = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((each) => Buffer.byteLength(each) <= 255)
const headers = fc.record({
  signal: fc.constantFrom('spans' as const, 'events' as const),
  codec: text,
  encoding: text,
  tenant: text,
  receivedAtMs: fc.double({ noNaN: true }),
  retryable: fc.boolean(),
})

function encode(header: RecordHeader, position: number, body: Uint8Array): Buffer {
  return sealRecordHeader(prepareRecordHeader(header, body.length, digest('sha1', body, 'buffer')), position, marker)
}

const example: RecordHeader = { signal: 'events', codec: 'lines', encoding: 'gzip', tenant: 'a', receivedAtMs: 1.5 }

test('a header decodes to what was encoded', () => {
  fc.assert(
    fc.property(headers, fc.maxSafeNat(), fc.uint8Array(), (header, position, body) => {
      const bytes = encode(header, position, body)
      assert.deepEqual(decodeRecordHeader(Buffer.concat([bytes, body]), marker), {
        ...header,
        position,
        hash: digest('sha1', body).slice(0, 2 * hashBytes),
        headerBytes: bytes.length,
        bodyBytes: body.length,
      })
    }),
  )
})

test('a header with one bit changed is not accepted', () => {
  const bytes = encode(example, 7, Buffer.from('body'))
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes)
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.equal(decodeRecordHeader(damaged, marker), undefined, `bit ${bit}`)
  }
})

test('a part of a header is not accepted', () => {
  const bytes = encode(example, 7, Buffer.from('body'))
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(decodeRecordHeader(bytes.subarray(0, length), marker), undefined, `${length} bytes`)
  }
})

test("another log's header is not accepted", () => {
  assert.equal(decodeRecordHeader(encode(example, 7, Buffer.alloc(1)), Buffer.alloc(8, 1)), undefined)
})

test('a prepared header may be sealed again with another position', () => {
  const prepared = prepareRecordHeader(example, 0, digest('sha1', '', 'buffer'))
  sealRecordHeader(prepared, 1, marker)
  assert.equal(decodeRecordHeader(sealRecordHeader(prepared, 2 ** 40 + 3, marker), marker)?.position, 2 ** 40 + 3)
})

test('what does not fit into a header is refused by name', () => {
  const hash = digest('sha1', '', 'buffer')
  const isAbout = (at: string | undefined) => (error: unknown) => error instanceof InputError && error.at === at
  assert.throws(() => prepareRecordHeader({ ...example, tenant: 'ü'.repeat(128) }, 0, hash), isAbout('tenant'))
  assert.throws(() => prepareRecordHeader({ ...example, codec: 'c'.repeat(256) }, 0, hash), isAbout('codec'))
  assert.throws(() => prepareRecordHeader(example, bodyBytesMax + 1, hash), { code: 'too_large' })
})
