import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OtlpTraces } from './otlp-json.ts'
import { drawnOtlp, drawnTrace, nodeNamed, outline } from './testing/drawn-trace.ts'
import { decodeSpans } from './span-list.ts'
import { makeStrip } from './strip.ts'
import { computeTiming } from './timing.ts'
import { findNode, groupSize, has, nodeFlags, nodeKey } from './trace.ts'
import { buildTree } from './tree.ts'

test('siblings are sorted by start, whatever their order of arrival', () => {
  const trace = drawnTrace(`
    shop pay      |==========
      shop last   |       ==
      shop first  | ==
        cart get  | =
  `)
  assert.deepEqual(outline(trace), ['shop pay', '  shop first', '    cart get', '  shop last'])
  assert.deepEqual([...trace.tree.subtreeEnd], [4, 3, 3, 4])
  assert.deepEqual([...trace.tree.parent], [-1, 0, 1, 0])
})

test('orphans of one parent hang under one missing parent, below the roots', () => {
  const trace = drawnTrace(`
    ~ mail render |==
    ~ mail send   |  ==
    shop pay      |==========
  `)
  assert.deepEqual(outline(trace), ['shop pay', 'missing parent', '  mail render', '  mail send'])
  assert.deepEqual(
    trace.tree.notes.map(({ text, node }) => [text, node]),
    [['2 spans without parent', 1]],
  )
  assert.equal(trace.tree.spanCount, 3)
  assert.equal(trace.timing.length[1], 4e6)
})

test('five similar siblings become a group in the place of the first; four do not', () => {
  const trace = drawnTrace(`
    shop pay      |==============
      db select   | =
      db insert   |  =
      db select   |   =
      db select   |    =
      db select   |     =
      db select   |      =
      db insert   |       =
  `)
  assert.deepEqual(outline(trace).slice(0, 3), ['shop pay', '  db select ×5', '    db select'])
  assert.deepEqual(outline(trace).slice(-2), ['  db insert', '  db insert'])
  const group = nodeNamed(trace, 'db select ×5')
  assert.equal(trace.timing.self[group], 5e6)
  assert.equal(trace.timing.length[group], 6e6)
})

test('a cycle is cut at its earliest span and loses nothing', () => {
  const otlp = drawnOtlp(`
    shop pay      |=====
    shop a        |   ===
      shop b      |  ===
  `)
  const spans = otlp.resourceSpans![0]!.scopeSpans![0]!.spans as { parentSpanId: string; spanId: string }[]
  spans[1]!.parentSpanId = spans[2]!.spanId
  const { tree } = buildTree(decodeSpans(otlp))
  assert.equal(tree.nodeCount, 3)
  assert.deepEqual([...tree.depth], [0, 0, 1])
})

test('a span that is its own parent is a root', () => {
  const otlp = drawnOtlp('shop pay |=====')
  const span = otlp.resourceSpans![0]!.scopeSpans![0]!.spans![0] as { parentSpanId: string; spanId: string }
  span.parentSpanId = span.spanId
  assert.deepEqual([...buildTree(decodeSpans(otlp)).tree.flags], [0])
})

test('spans that outlive or follow their parent are async; those inside are not', () => {
  const trace = drawnTrace(`
    shop pay       |=====
      shop inside  | ==
      mail outlive |   =====
      mail after   |       ==
  `)
  const isAsync = (name: string): boolean => has(trace.tree, nodeNamed(trace, name), nodeFlags.async)
  assert.deepEqual(['shop inside', 'mail outlive', 'mail after'].map(isAsync), [false, true, true])
})

test('errors and spans below a node are counted', () => {
  const { tree } = drawnTrace(`
    shop pay      |=====
      cart get !  | ==
        db read ! | =
      mail send   |   =
  `)
  assert.equal(tree.errorCount, 2)
  assert.deepEqual([...tree.errorsBefore], [0, 0, 1, 2, 2])
})

test('every node has a key, also groups and missing parents', () => {
  const trace = drawnTrace(`
    shop pay      |==============
      db select   | =
      db select   |  =
      db select   |   =
      db select   |    =
      db select   |     =
    ~ mail send   |  ==
  `)
  for (let node = 0; node < trace.tree.nodeCount; node++)
    assert.equal(findNode(trace.tree, nodeKey(trace.tree, node)), node)
  assert.equal(findNode(trace.tree, 'nonsense'), -1)
  assert.equal(findNode(trace.tree, 'dddddddddddddddd'), -1)
})

test('the two halves of a Zipkin call have different keys', () => {
  const otlp = drawnOtlp(`
    edge route :client      |  ========
      shop get :server      |====
  `)
  const spans = otlp.resourceSpans!.map(({ scopeSpans }) => scopeSpans![0]!.spans![0] as { spanId: string })
  spans[1]!.spanId = spans[0]!.spanId
  const { tree } = buildTree(decodeSpans(otlp))
  assert.deepEqual([...tree.parent], [-1, 0])
  assert.deepEqual([nodeKey(tree, 0), nodeKey(tree, 1)], ['0000000000000001', '0000000000000001_2'])
  for (const node of [0, 1]) assert.equal(findNode(tree, nodeKey(tree, node)), node)
  assert.equal(findNode(tree, '0000000000000001_3'), -1)
})

function spansOf(count: number, parentOf: (span: number) => number): OtlpTraces {
  const idOf = (span: number): string => (span + 1).toString(16).padStart(16, '0')
  const spans = Array.from({ length: count }, (_, span) => ({
    traceId: 'a'.repeat(32),
    spanId: idOf(span),
    parentSpanId: span === 0 ? '' : idOf(parentOf(span)),
    name: 'step',
    startTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt(span)),
    endTimeUnixNano: '1700000001000000000',
  }))
  return { resourceSpans: [{ scopeSpans: [{ spans }] }] }
}

test('a chain of 70,000 spans keeps its depths, even past 16 bits', () => {
  const list = decodeSpans(spansOf(70_000, (span) => span - 1))
  const layout = buildTree(list)
  const { tree } = layout
  assert.equal(tree.subtreeEnd[0], 70_000)
  assert.equal(tree.depth[69_999], 69_999)
  const timing = computeTiming(list, layout, false)
  assert.equal(timing.self[69_999], 1e9 - 69_999)
  assert.equal(makeStrip({ tree, timing }, 100).slot[99], makeStrip({ tree, timing }, 100).slot[0])
})

test('200,000 children of one span become one group', () => {
  const list = decodeSpans(spansOf(200_001, () => 0))
  const layout = buildTree(list)
  assert.equal(layout.tree.nodeCount, 200_002)
  assert.equal(groupSize(layout.tree, 1), 200_000)
  assert.equal(computeTiming(list, layout, false).covered.first[2], 1)
})
