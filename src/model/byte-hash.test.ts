import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alikeTraceIds, cancellingTraceIds, collidingKeys } from '../../test/support/colliding.ts'
import { KeyDictionary } from '../storage/clickhouse/native/key-dictionary.ts'
import { idHash, keyedHash, quickHash } from './byte-hash.ts'
import { Dictionary } from './dictionary.ts'

const count = 20_000
const keys = [...collidingKeys(count)].map((key) => Buffer.from(key))

function distinct(hashes: Iterable<number>): number {
  return new Set(hashes).size
}

test('keys that collide under the quick hash do not collide under the keyed one', () => {
  assert.equal(distinct(keys.map((key) => quickHash(key, 0, key.length))), 1)
  assert.ok(distinct(keys.map((key) => keyedHash(key, 0, key.length))) > count * 0.999)
})

test('the keyed hash looks at every byte and at the length', () => {
  for (let length = 0; length < 40; length++) {
    const bytes = Buffer.alloc(length + 1, 65)
    const hash = keyedHash(bytes, 0, length)
    assert.notEqual(keyedHash(bytes, 0, length + 1), hash)
    for (let at = 0; at < length; at++) {
      bytes[at]! ^= 1
      assert.notEqual(keyedHash(bytes, 0, length), hash, `byte ${at} of ${length}`)
      bytes[at]! ^= 1
    }
    assert.equal(keyedHash(Buffer.concat([Buffer.from('ab'), bytes]), 2, 2 + length), hash)
  }
})

test('ids that differ in one word do not collide', () => {
  const ids = [...alikeTraceIds(count)].map((id) => [0, 4, 8, 12].map((at) => id.readInt32LE(at)))
  for (let turn = 0; turn < 4; turn++) {
    const hashes = ids.map((words) =>
      idHash(...([0, 1, 2, 3].map((i) => words[(i + turn) % 4]!) as [number, number, number, number])),
    )
    assert.ok(distinct(hashes.map((hash) => hash & 0xffff)) > 15_000)
  }
})

test('ids do not collide when one word undoes the change of the word before', () => {
  const ids = [...cancellingTraceIds(5)]
  const hashes = ids.map((id) => idHash(id.readInt32LE(0), id.readInt32LE(4), id.readInt32LE(8), id.readInt32LE(12)))
  assert.ok(distinct(hashes) > ids.length * 0.9, `${distinct(hashes)} hashes of ${ids.length} ids`)
})

test('a few colliding keys make a table change its hash, because long keys are expensive to compare', () => {
  const few = keys.slice(0, 30)
  const arena = Buffer.concat(few)
  const [dictionary, ofBlock] = [new Dictionary(), new KeyDictionary()]
  few.forEach((key, i) => {
    dictionary.intern(arena, i * key.length, (i + 1) * key.length)
    ofBlock.intern(key, 0, key.length)
  })
  for (const table of [dictionary, ofBlock]) assert.ok(table.longestSearch() < 20, `${table.longestSearch()} steps`)
})

/** In a table half full of random keys, a search takes a few dozen steps at most. */
const stepsMax = 128

test('no search of a dictionary becomes long, whatever keys are put into it', () => {
  const dictionary = new Dictionary()
  const arena = Buffer.concat(keys)
  for (let round = 0; round < 2; round++) {
    keys.forEach((key, i) => assert.equal(dictionary.intern(arena, i * key.length, (i + 1) * key.length), i))
    assert.ok(dictionary.longestSearch() < stepsMax, `${dictionary.longestSearch()} steps`)
  }
  dictionary.clear()
  assert.equal(dictionary.intern(arena, 0, 5), 0)
})

test('no search of the keys of a block becomes long either', () => {
  const dictionary = new KeyDictionary()
  for (let round = 0; round < 2; round++) {
    keys.forEach((key, i) => assert.equal(dictionary.intern(key, 0, key.length), i + 1))
    assert.ok(dictionary.longestSearch() < stepsMax, `${dictionary.longestSearch()} steps`)
  }
})
