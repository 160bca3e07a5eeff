import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTraceTree } from './trace-tree.ts'
import { treeNotes } from './tree-notes.ts'

/** Notes on spans in the notation `id<parent`, all of one start. */
function notesOn(text: string): string[] {
  const spans = text.split(' ').map((word) => word.split('<'))
  const zeros = spans.map(() => 0)
  const tree = buildTraceTree({
    count: spans.length,
    ids: spans.map(([id]) => id!),
    parentIds: spans.map(([, parent]) => parent ?? ''),
    noId: '',
    kinds: zeros,
    starts: zeros,
    lengths: zeros,
    names: zeros,
    services: zeros,
  })
  return treeNotes(tree).map(({ text: note, entry }) => `${note} at ${entry}`)
}

test('a whole tree needs no note', () => {
  assert.deepEqual(notesOn('a b<a c<b'), [])
})

test('each problem is noted, with its first span', () => {
  assert.deepEqual(notesOn('a b c'), ['3 roots at 1'])
  assert.deepEqual(notesOn('a b<b'), ['1 span names itself as parent at 1'])
  assert.deepEqual(notesOn('a b<c c<b d<e e<d'), ['2 rings of parents cut at 1'])
  assert.deepEqual(notesOn('a b<x c<x d<y'), ['3 spans without parent at 4'])
  assert.deepEqual(notesOn('a b<a b<a b<a'), ['2 spans sent again at 1'])
})
