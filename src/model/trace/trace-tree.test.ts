import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildTraceTree, topReasons } from './trace-tree.ts'
import type { TraceTree, TreeSpans } from './trace-tree.ts'

/**
 * Spans in a tiny notation, separated by spaces: `b<a` is span b with parent a. After the id `C`, `S`, `P`, `K` make it a
 * client, server, producer or consumer; then `:service`, `@start` (else its place in the text) and `+length`.
 */
interface Noted extends TreeSpans<string> {
  readonly labels: readonly string[]
}

const kindLetters = ['', '', 'S', 'C', 'P', 'K']

function spansOf(text: string): Noted {
  const spans = text.split(' ').map((word, i) => {
    const [, id = '', kind = '', parent = '', service = '', start = String(i), length = '1'] =
      /^([a-z0-9]+)([SCPK]?)(?:<([a-z0-9]+))?(?::(\w+))?(?:@(-?\d+))?(?:\+(\d+))?$/.exec(word) ??
      assert.fail(`cannot read ${word}`)
    return { id, kind, parent, service, start: Number(start), length: Number(length) }
  })
  return {
    count: spans.length,
    ids: spans.map(({ id }) => id),
    parentIds: spans.map(({ parent }) => parent),
    noId: '',
    kinds: spans.map(({ kind }) => (kind === '' ? 0 : kindLetters.indexOf(kind))),
    starts: spans.map(({ start }) => start),
    lengths: spans.map(({ length }) => length),
    names: spans.map(() => 'work'),
    services: spans.map(({ service }) => service),
    labels: spans.map(({ id, kind, length }) => id + kind + (length === 1 ? '' : `+${length}`)),
  }
}

/** `a(b(c) d)`: d and b under a, c under b; `?x(…)` are orphans of x. A space parts the tops. */
function printTree(spans: Noted, tree: TraceTree): string {
  const print = (entry: number): string => {
    const below = [...tree.children.subarray(tree.childStarts[entry], tree.childStarts[entry + 1])].map(print).join(' ')
    const label =
      entry < spans.count ? spans.labels[entry]! : `?${spans.parentIds[tree.firstOrphans[entry - spans.count]!]}`
    return below === '' ? label : `${label}(${below})`
  }
  return [...tree.tops].map(print).join(' ')
}

function treeOf(text: string): string {
  const spans = spansOf(text)
  return printTree(spans, buildTraceTree(spans))
}

/** Why each top of the tree is a top. */
function reasonsOf(text: string): string[] {
  const spans = spansOf(text)
  const tree = buildTraceTree(spans)
  const names = Object.entries(topReasons)
  return [...tree.tops].map((top) => names.find(([, reason]) => reason === tree.topReasons[top])?.[0] ?? 'none')
}

const trees: readonly [rule: string, spans: string, tree: string][] = [
  ['children are in order of start, whatever order they came in', 'c<a@3 b<a@2 d<b@5 a@1', 'a(b(d) c)'],
  ['equal starts keep the order in which they came', 'a@0 c<a@1 b<a@1', 'a(c b)'],
  ['several roots are in order of start', 'b@4 a@2 c<b', 'a b(c)'],
  ['a span that names itself is a root', 'a<a b<a', 'a(b)'],
  ['orphans of one missing parent hang together, below all roots', 'c<x@1 b<x@0 a@5 d<y', 'a ?x(b c) ?y(d)'],
  ['a ring is cut at its earliest span', 'a b<c@7 c<b@5 d<c@2', 'a c(d b)'],
  ['a ring of three', 'a<c b<a c<b', 'a(b(c))'],
  ['two rings', 'a<b b<a c<d d<c', 'a(b) c(d)'],
  ['the same span twice is one', 'a b<a@3 b<a@3 c<b', 'a(b(c))'],
  ['the longest copy is shown', 'a b<a@3+2 b<a@3+9 b<a@3+5', 'a(b+9)'],
  ['another start is another span', 'a b<a@3 b<a@4 c<b', 'a(b(c) b)'],
  ['another kind is another span', 'a b<a@3 bK<a@3', 'a(b bK)'],
  ['the client half is above the server half, and that above the rest', '1C:edge 1S:shop 2C<1:shop', '1C(1S(2C))'],
  ['the clocks of the halves do not matter', '1S:shop@-9 2C<1:shop@-7 1C:edge@0', '1C(1S(2C))'],
  ['nor does the parent that the server half names', 'a 1C<a:edge 1S<1:shop 2<1:shop', 'a(1C(1S(2)))'],
  ['nor a parent that never came', '1C<x:edge 1S<x:shop', '?x(1C(1S))'],
  ["a span of the client half's service belongs to it", '1C:edge 1S:shop 2<1:edge 3<1:shop 4<1:db', '1C(1S(3 4) 2)'],
  ['a service that calls itself: the server half is nearer', '1C:shop 1S:shop 2<1:shop', '1C(1S(2))'],
  ['one message, two consumers', '1P:web 1K:mail 1K:bill@9 2<1:bill 3<1:mail', '1P(1K(3) 1K(2))'],
  ['a half alone is a span like any other', 'a 1S<a 2<1', 'a(1S(2))'],
  ['a half sent twice', '1C 1S@5 1C@0 1S@5 2<1', '1C(1S(2))'],
  ['a ring is not cut between halves', '1C<2@5 1S@1 2<1@9', '1C(1S(2))'],
]

for (const [rule, spans, tree] of trees) test(rule, () => assert.equal(treeOf(spans), tree))

test('every top has its reason', () => {
  assert.deepEqual(reasonsOf('a b<b c<d d<c e<x'), ['noParentId', 'ownParent', 'ringCut', 'missingParent'])
})

test('a repeated span says which copy is shown', () => {
  assert.deepEqual([...buildTraceTree(spansOf('a b<a@3+2 b<a@3+9 b<a@3+5')).shownAs], [0, 2, 2, 2])
})

const someSpans = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 8 }), fc.constantFrom('', 'C', 'S'), fc.nat(4)),
  { minLength: 1, maxLength: 14 },
)

test('for any spans: each is in the tree once, under its parent, one level deeper', () => {
  fc.assert(
    fc.property(someSpans, (list) => {
      const text = list.map(([id, parent, kind, start]) => `${id}${kind}${parent > 0 ? `<${parent}` : ''}@${start}`)
      const tree = buildTraceTree(spansOf(text.join(' ')))
      const shown = [...tree.shownAs].flatMap((as, span) => (as === span ? [span] : []))
      const entries = [...tree.preOrder]
      assert.deepEqual(
        entries.filter((entry) => entry < tree.count).sort((a, b) => a - b),
        shown,
      )
      assert.equal(new Set(entries).size, entries.length)
      for (const entry of entries) {
        const above = tree.parents[entry]!
        assert.equal(tree.depths[entry], above < 0 ? 0 : tree.depths[above]! + 1)
        assert.equal(tree.topReasons[entry] === 0, above >= 0)
        assert.ok(above < 0 || entries.indexOf(above) < entries.indexOf(entry))
      }
      for (const [span, as] of tree.shownAs.entries()) assert.equal(tree.shownAs[as], as, `${span} is shown as a copy`)
    }),
  )
})

test('the tree does not depend on the order in which spans with different starts came', () => {
  fc.assert(
    fc.property(someSpans, fc.infiniteStream(fc.nat()), (list, random) => {
      const words = list.map(([id, parent, kind], i) => `${id}${kind}${parent > 0 ? `<${parent}` : ''}@${i}`)
      const shuffled = words.map((word) => ({ word, at: random.next().value as number }))
      shuffled.sort((a, b) => a.at - b.at)
      assert.equal(treeOf(shuffled.map(({ word }) => word).join(' ')), treeOf(words.join(' ')))
    }),
  )
})

function manySpans(count: number, parentOf: (span: number) => number): TreeSpans<bigint> {
  const numbers = Float64Array.from({ length: count }, (_, span) => span)
  return {
    count,
    ids: BigUint64Array.from(numbers, (span) => BigInt(span + 1)),
    parentIds: BigUint64Array.from(numbers, (span) => (span === 0 ? 0n : BigInt(parentOf(span) + 1))),
    noId: 0n,
    kinds: new Uint8Array(count),
    starts: numbers,
    lengths: numbers,
    names: numbers,
    services: new Uint16Array(count),
  }
}

test('300,000 children, 300,000 levels and a ring of 300,000 are no problem', () => {
  const count = 300_000
  const wide = buildTraceTree(manySpans(count, () => 0))
  assert.equal(wide.childStarts[1], count - 1)
  const deep = buildTraceTree(manySpans(count, (span) => span - 1))
  assert.equal(deep.depths[count - 1], count - 1)
  const spans = manySpans(count, (span) => span - 1)
  const ring = buildTraceTree({ ...spans, parentIds: { ...spans.parentIds, 0: BigInt(count), length: count } })
  assert.equal(ring.depths[count - 1], count - 1)
  assert.equal(ring.topReasons[0], topReasons.ringCut)
})

test('200,000 spans of one id take linear time', () => {
  const spans = manySpans(200_000, () => 0)
  const begun = performance.now()
  const tree = buildTraceTree({ ...spans, ids: new BigUint64Array(spans.count).fill(1n) })
  assert.ok(performance.now() - begun < 10_000)
  assert.equal(tree.preOrder.length, 200_000)
})
