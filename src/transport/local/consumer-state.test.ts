import assert from 'node:assert/strict'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { InputError } from '../../base/errors.ts'
import type { Position } from '../../model/log.ts'
import {
  consumerFileName,
  createConsumerFile,
  decodeSlot,
  encodeSlot,
  openConsumerFile,
  writeConsumerState,
} from './consumer-state.ts'
import { temporaryFolder } from '../../../test/support/temporary-log.ts'

const position = (n: number): Position => n as Position
const positions = fc.maxSafeNat().map(position)

test('a slot decodes to what was encoded', () => {
  const cutEnd = fc.option(positions, { nil: undefined })
  const states = fc.record({ sequence: fc.maxSafeNat(), next: positions, cutEnd }, { noNullPrototype: true })
  fc.assert(fc.property(states, (state) => assert.deepEqual(decodeSlot(encodeSlot(state)), state)))
})

test('a slot with one bit changed, or a part of a slot, is not accepted', () => {
  const bytes = encodeSlot({ sequence: 3, next: position(10), cutEnd: undefined })
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes)
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.equal(decodeSlot(damaged), undefined, `bit ${bit}`)
  }
  for (let length = 0; length < bytes.length; length++) assert.equal(decodeSlot(bytes.subarray(0, length)), undefined)
})

test('a write torn at any byte leaves the older state', async (t) => {
  const path = join(await temporaryFolder(t), 'writer.consumer')
  const consumer = await createConsumerFile(path, position(0))
  for (let turn = 1; turn <= 3; turn++) {
    await writeConsumerState(consumer, { next: position(turn * 10), cutEnd: position(turn * 10 + 5) })
  }
  const before = await readFile(path)
  await writeConsumerState(consumer, { next: position(40), cutEnd: undefined })
  await consumer.file.close()
  const after = await readFile(path)
  const changed = [...after.keys()].filter((at) => after[at] !== before[at])
  const [from, to] = [changed[0] ?? 0, (changed.at(-1) ?? 0) + 1]
  assert.ok(to - from <= 32, 'one slot changes')
  for (let length = from; length < to; length++) {
    await writeFile(path, Buffer.concat([after.subarray(0, length), before.subarray(length)]))
    const opened = await openConsumerFile(path)
    await opened?.file.close()
    assert.deepEqual({ next: opened?.state.next, cutEnd: opened?.state.cutEnd }, { next: 30, cutEnd: 35 }, `${length}`)
  }
})

test('a state that could not be written does not count, and the next one does', async (t) => {
  const path = join(await temporaryFolder(t), 'writer.consumer')
  const consumer = await createConsumerFile(path, position(1))
  await writeConsumerState(consumer, { next: position(2), cutEnd: undefined })
  const { file } = consumer
  const readOnly = await open(path, 'r')
  await assert.rejects(writeConsumerState({ ...consumer, file: readOnly }, { next: position(3), cutEnd: undefined }))
  await readOnly.close()
  await writeConsumerState(consumer, { next: position(4), cutEnd: undefined })
  await file.close()
  const opened = await openConsumerFile(path)
  await opened?.file.close()
  assert.equal(opened?.state.next, 4)
})

test('names that would lead out of the folder are refused', () => {
  for (const name of ['', '.', '..', '../x', 'a/b', 'a\0', 'ä', 'x'.repeat(65)]) {
    assert.throws(() => consumerFileName(name), InputError, name)
  }
  assert.equal(consumerFileName('sink.otlp-1'), 'sink.otlp-1.consumer')
})
