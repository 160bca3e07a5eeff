/** What tests of span decoders share: the rows of a batch, and bodies damaged in many ways. */
import type { Batch } from '../../src/codec/codec.ts'
import type { Attribute } from '../../src/model/attributes.ts'
import type { SpanRow } from '../../src/model/span-row.ts'
import { spanRowsOf } from './batch-rows.ts'

export function spansOf(batch: Batch): SpanRow[] {
  if (batch.signal !== 'spans') throw new Error('a batch of events')
  return spanRowsOf(batch)
}

/** Attributes as a plain object: texts and bools as they are, numbers as bigint (int) or number (double). */
export function plainAttributes(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.type === 'empty' ? null : value.value]))
}

/** A small generator of numbers from 0 to 1 (mulberry32), so that a failing round can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A copy that is cut short, or has bits flipped, bytes replaced by extremes, or a part repeated or left out. */
export function damaged(body: Uint8Array, random: () => number): Buffer {
  const copy = Buffer.from(body)
  const place = (): number => Math.floor(random() * copy.length)
  switch (Math.floor(random() * 5)) {
    case 0:
      return copy.subarray(0, place())
    case 1:
      for (let i = 0; i < 1 + random() * 4; i++) copy[place()]! ^= 1 << Math.floor(random() * 8)
      return copy
    case 2:
      for (let i = 0; i < 1 + random() * 3; i++)
        copy[place()] = [0x00, 0xff, 0x7f, 0x80, 0x22, 0x5b][Math.floor(random() * 6)]!
      return copy
    case 3: {
      const at = place()
      return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.max(0, at - Math.floor(random() * 64)))])
    }
    default: {
      const at = place()
      return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.min(copy.length, at + Math.ceil(random() * 16)))])
    }
  }
}
