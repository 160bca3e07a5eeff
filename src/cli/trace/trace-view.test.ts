import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OtlpSpan, TracesData } from './otlp-json.ts'
import { paintFor } from '../terminal/paint.ts'
import { buildSpanTree, treeLines } from './span-tree.ts'
import type { SpanTree } from './span-tree.ts'
import { barOf, traceViewLines } from './trace-view.ts'

process.env.TZ = 'UTC'
const paint = paintFor({ isTTY: false } as NodeJS.WriteStream, {})
const base = 1_795_415_104_000_000_000n

/**
 * A trace in a small notation, one line per span: `id parent service name from-to`. Times are in milliseconds, `-`
 * means no parent, and `!` at the end marks an error.
 */
function draw(text: string): TracesData {
  const resourceSpans = text
    .trim()
    .split('\n')
    .map((line) => {
      const [id = '', parent = '', service = '', name = '', times = '', mark] = line.trim().split(/\s+/)
      const [from = 0, to = 0] = times.split('-').map(Number)
      const span: OtlpSpan = {
        traceId: 'f'.repeat(32),
        spanId: id,
        ...(parent === '-' ? {} : { parentSpanId: parent }),
        name,
        startTimeUnixNano: String(base + BigInt(from) * 1_000_000n),
        endTimeUnixNano: String(base + BigInt(to) * 1_000_000n),
        status: { code: mark === '!' ? 2 : 0 },
      }
      const attributes = [{ key: 'service.name', value: { stringValue: service } }]
      return { resource: { attributes }, scopeSpans: [{ spans: [span] }] }
    })
  return { resourceSpans }
}

function outline(tree: SpanTree): string[] {
  return [...tree.roots, ...tree.orphans].flatMap((top) =>
    [...treeLines(top)].map(({ item, depth }) => '.'.repeat(depth) + item.span.spanId),
  )
}

test('spans are drawn under their parents, siblings by start, whatever the order of arrival', () => {
  const tree = buildSpanTree(
    draw(`
      d b cart  select 5-9
      c a pay   charge 20-40
      b a cart  list   0-10
      a - shop  order  0-50
      e b cart  insert 2-4`),
  )
  assert.deepEqual(outline(tree), ['a', '.b', '..e', '..d', '.c'])
  assert.equal(tree.duration, 50_000_000)
})

test('self time leaves out the union of the children, cut to the parent', () => {
  const tree = buildSpanTree(
    draw(`
      a - shop order 0-100
      b a shop one   10-40
      c a shop two   30-50
      d a shop late  90-130`),
  )
  const root = tree.roots[0]
  assert.equal(root?.self, 50_000_000) // 100 - (10..50) - (90..100)
  assert.equal(tree.duration, 130_000_000)
})

test('a span whose parent is missing, itself, or part of a cycle is shown once', () => {
  const tree = buildSpanTree(
    draw(`
      a - shop order  0-100
      b x cart lost   10-20
      c b cart child  11-12
      d d cart itself 30-31
      e f ring one    40-41
      f e ring two    42-43`),
  )
  assert.deepEqual(outline(tree), ['a', 'd', 'e', '.f', 'b', '.c'])
  assert.deepEqual(
    tree.orphans.map((item) => item.span.spanId),
    ['b'],
  )
})

test('a chain of 100,000 spans and a parent of 200,000 children are drawn', () => {
  const span = (id: number, parent: number): OtlpSpan => ({
    traceId: 'f'.repeat(32),
    spanId: String(id),
    ...(id === 0 ? {} : { parentSpanId: String(parent) }),
    startTimeUnixNano: String(base + BigInt(id)),
    endTimeUnixNano: String(base + BigInt(id) + 10n),
  })
  const dataOf = (spans: OtlpSpan[]): TracesData => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] })
  const chain = buildSpanTree(dataOf(Array.from({ length: 100_000 }, (_, id) => span(id, id - 1))))
  const wide = buildSpanTree(dataOf(Array.from({ length: 200_000 }, (_, id) => span(id, 0))))
  assert.equal(outline(chain).length, 100_000)
  assert.ok([...traceViewLines(chain, { width: 100, paint })].at(-1)!.includes(' 99999 '))
  assert.equal([...traceViewLines(wide, { width: 100, paint })].length, 200_004)
})

test('a bar distinguishes self time from time in children, and every span is visible', () => {
  const tree = buildSpanTree(
    draw(`
      a - shop order 0-100
      b a shop one   20-60
      c a shop dot   80-80`),
  )
  const bars = Object.fromEntries(tree.spans.map((item) => [item.span.spanId, barOf(item, tree.duration, 10)]))
  assert.deepEqual(bars, { a: '██────████', b: '  ████', c: '        █' })
})

test('a trace is drawn with its totals, errors and missing parents', () => {
  const tree = buildSpanTree(
    draw(`
      a - shop POST/pay 0-1840
      b a cart reserve  40-852 !
      c b cart SELECT   60-80
      d a pay  charge   900-1400
      e x mail send     1500-1600`),
  )
  assert.deepEqual(
    [...traceViewLines(tree, { width: 80, paint })],
    [
      'shop POST/pay  1.84 s  5 spans  4 services  1 error !',
      '2026-11-23 06:25:04.000 UTC  ffffffffffffffffffffffffffffffff',
      '1 span without parent',
      '',
      'span                     duration          self  0                        1.84 s',
      'shop POST/pay              1.84 s        528 ms  █─────────────█─────────███████',
      '├─ cart reserve !          812 ms        792 ms  ███████████████',
      '│  └─ cart SELECT         20.0 ms       20.0 ms   █',
      '└─ pay charge              500 ms        500 ms                 █████████',
      'missing parent',
      'mail send                  100 ms        100 ms                           ██',
    ],
  )
})

test('oddities of the tree are listed above it', () => {
  const tree = buildSpanTree(
    draw(`
      a x shop lost 0-10
      d d cart itself 30-31
      e f ring one    40-41
      f e ring two    42-43
      f e ring two    42-43`),
  )
  assert.equal(
    [...traceViewLines(tree, { width: 80, paint })][2],
    '1 span names itself as parent, 1 ring of parents cut, 1 span without parent, 1 span sent again',
  )
})

test('both halves of a Zipkin call are drawn, with the server half and its children under the client half', () => {
  const data = draw(`
    b a shop GET/cart 0-12
    c b shop select   2-5
    b a edge route    4-20
    a - edge page     3-22`)
  const kinds = [2, 3, 3, 2]
  data.resourceSpans!.forEach(({ scopeSpans }, i) => Object.assign(scopeSpans![0]!.spans![0]!, { kind: kinds[i] }))
  const tree = buildSpanTree(data)
  const names = tree.roots.flatMap((top) =>
    [...treeLines(top)].map(({ item, depth }) => '.'.repeat(depth) + item.span.name),
  )
  assert.deepEqual(names, ['page', '.route', '..GET/cart', '...select'])
})

test('names that are too deep to indent stay readable and show their depth', () => {
  const lines = Array.from({ length: 20 }, (_, id) => `s${id} ${id === 0 ? '-' : `s${id - 1}`} shop step 0-${100 - id}`)
  const drawn = [...traceViewLines(buildSpanTree(draw(lines.join('\n'))), { width: 70, paint })]
  assert.equal(drawn[7], '      └─ shop step         97.0 ms       1.00 ms  ───────────────────█')
  assert.equal(drawn[8], '··· 4    shop step         96.0 ms       1.00 ms  ───────────────────█')
  assert.equal(drawn.at(-1), '··· 19   shop step         81.0 ms       81.0 ms  █████████████████')
})

test('escape sequences in names do not reach the terminal', () => {
  const data = draw('a - shop x 0-1')
  const span = data.resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0] as { name: string }
  span.name = 'GET \u001b[31m/\u202e\nnext'
  const text = [...traceViewLines(buildSpanTree(data), { width: 100, paint })].join('\n')
  assert.ok(!text.includes('\u001b') && !text.includes('\u202e'))
  assert.match(text, /GET \\u001b\[31m\/\\u202e⏎next/)
})
