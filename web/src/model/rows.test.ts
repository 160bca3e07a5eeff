import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addStep, applySteps, defaultOpen, parseSteps, printSteps } from './fold.ts'
import { findSpans } from './find.ts'
import { computeRows, matchFilters, nextMarked, noFilters, openForMatches, shownAncestor } from './rows.ts'
import type { RowFilters } from './rows.ts'
import { drawnTrace, nodeNamed, outline } from './testing/drawn-trace.ts'

const trace = drawnTrace(`
    shop pay            |====================
      cart reserve      | =======
        db select       |  =
        db select       |   =
        db select       |    =
        db select !     |     =
        db select       |      =
      pay charge        |         ==========
        bank ask        |          ========
`)
const open = defaultOpen(trace)

function shown(filters: Partial<RowFilters> = {}, found?: Uint8Array, opened = open): string[] {
  const matches = matchFilters(trace, { ...noFilters, ...filters }, found)
  const rows = computeRows({ tree: trace.tree, open: matches ? openForMatches(trace.tree, matches) : opened, matches })
  return outline(trace, rows.nodes)
}

test('a small trace is fully open, except for groups', () => {
  assert.deepEqual(shown(), ['shop pay', '  cart reserve', '    db select ×5', '  pay charge', '    bank ask'])
})

test('a filter keeps the ancestors of matches, and opens groups', () => {
  assert.deepEqual(shown({ errors: true }), ['shop pay', '  cart reserve', '    db select ×5', '      db select'])
  assert.deepEqual(shown({ slow: true }), ['shop pay', '  cart reserve', '  pay charge', '    bank ask'])
})

test('a group stays one row when all of it matches', () => {
  assert.deepEqual(shown({ critical: true }), [
    'shop pay',
    '  cart reserve',
    '    db select ×5',
    '  pay charge',
    '    bank ask',
  ])
})

test('find text marks spans, and "only" shows just them', () => {
  const bySpan = findSpans(trace.list, 'bank')!
  const found = Uint8Array.from(trace.layout.source, (span) => (span < 0 ? 0 : bySpan[span]!))
  assert.deepEqual(shown({ found: true }, found), ['shop pay', '  pay charge', '    bank ask'])
  assert.equal(shown({ found: true }, undefined).length, 5, 'without a text there is nothing to keep to')
})

test('steps fold and unfold, are kept in the URL, and replace one another', () => {
  const group = nodeNamed(trace, 'db select ×5')
  const charge = nodeNamed(trace, 'pay charge')
  let steps = addStep(trace.tree, [], { node: group, open: true, wholeSubtree: false })
  steps = addStep(trace.tree, steps, { node: charge, open: false, wholeSubtree: false })
  const again = parseSteps(trace.tree, printSteps(trace.tree, steps))
  assert.deepEqual(again, steps)
  assert.equal(shown({}, undefined, applySteps(trace.tree, open, again)).length, 9)
  steps = addStep(trace.tree, steps, { node: 0, open: false, wholeSubtree: true })
  assert.equal(steps.length, 1)
  assert.deepEqual(shown({}, undefined, applySteps(trace.tree, open, steps)), ['shop pay'])
  assert.deepEqual(parseSteps(trace.tree, 'rubbish.-.*0000'), [])
})

test('a large trace opens to depth 2, plus the paths to errors and along the critical path', () => {
  const lines = ['shop pay         |' + '='.repeat(40)]
  for (let i = 0; i < 300; i++) {
    const [service, at, mark] = i === 7 ? ['bad', 9, ' !'] : [`s${i}`, 2, '']
    const pad = ' '.repeat(at)
    lines.push(`  ${service} a    |${pad}==`, `    ${service} b  |${pad}==`, `      ${service} c${mark} |${pad}=`)
  }
  const large = drawnTrace(lines.join('\n'))
  const rows = computeRows({ tree: large.tree, open: defaultOpen(large), matches: undefined })
  const names = outline(large, rows.nodes)
  assert.ok(names.includes('      bad c'))
  assert.ok(!names.includes('      s9 c'))
  assert.ok(names.includes('    s9 b'))
})

test('the row of a hidden node is that of its nearest shown ancestor', () => {
  const rows = computeRows({ tree: trace.tree, open, matches: undefined })
  const group = nodeNamed(trace, 'db select ×5')
  assert.equal(shownAncestor(trace.tree, rows, group + 3), group)
})

test('going to the next mark wraps around', () => {
  const marks = new Set([1, 5])
  const next = (from: number, step: 1 | -1): number => nextMarked((node) => marks.has(node), { from, step, count: 8 })
  assert.deepEqual([next(0, 1), next(1, 1), next(5, 1), next(1, -1)], [1, 5, 1, 5])
  assert.equal(
    nextMarked(() => false, { from: 0, step: 1, count: 8 }),
    -1,
  )
})
