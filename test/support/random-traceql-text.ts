/** Random TraceQL searches that `check` passes, on the few names and values that the traces of `randomTrace` have. */
import fc from 'fast-check'
import type { SpanRow } from '../../src/model/span-row.ts'
import { drawTrace } from './draw-trace.ts'

const conditions = [
  'name = "a", name != "b", name =~ "a|c", status = error, kind != server, duration > 5ms, .x = 1, .x != 1, .x > 1',
  '.x = nil, .y, span.x < .z, .x + .z > 2, .z =~ "1|2", resource.service.name = "one", trace:rootName = "a", true',
  'nestedSetParent < 0, parent != nil, span:childCount > 1, nestedSetLeft > 3, span:childCount = .x',
].flatMap((line) => line.split(', '))
const relations = '&& || > < >> << ~ !> !< !>> !<< !~ &> &< &>> &<< &~'.split(' ')
const numbers = [
  'count() > 1',
  'count() = 0',
  'max(duration) > 5ms',
  'avg(.x) >= 1',
  'sum(.x) + count() > 3',
  'min(.z) != 2',
]
const others = ['by(name)', 'by(.x)', 'by(status, .y)', 'coalesce()', 'select(.x)']

interface Ties {
  condition: string
  spans: string
  pipeline: string
}

export const randomSearch: fc.Arbitrary<string> = fc.letrec<Ties>((tie: fc.LetrecTypedTie<Ties>) => ({
  condition: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom(...conditions),
    fc
      .tuple(tie('condition'), fc.constantFrom('&&', '||', '=', '!='), tie('condition'))
      .map(([a, op, b]) => `(${a}) ${op} (${b})`),
    tie('condition').map((one) => `!(${one})`),
  ),
  spans: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    tie('condition').map((condition) => `{ ${condition} }`),
    fc.constant('{ }'),
    fc.tuple(tie('spans'), fc.constantFrom(...relations), tie('spans')).map(([a, op, b]) => `(${a}) ${op} (${b})`),
    tie('pipeline').map((pipeline) => `(${pipeline})`),
    fc.tuple(tie('pipeline'), tie('pipeline')).map(([a, b]) => `(${a} | count()) >= (${b} | count())`),
  ),
  pipeline: fc
    .tuple(
      tie('spans'),
      fc.array(fc.oneof(fc.constantFrom(...numbers), fc.constantFrom(...others), tie('spans')), { maxLength: 2 }),
    )
    .map(([first, rest]) => [first, ...rest].join(' | ')),
})).pipeline

const line = fc.tuple(
  fc.constantFrom('a one', 'b one', 'c two'),
  fc.nat(20),
  fc.nat(10),
  fc.constantFrom('', ' error', ' server'),
  fc.constantFrom('', ' .x=1', ' .x=2', ' .x=[1,2]', ' .x=text'),
  fc.constantFrom('', ' .y=true', ' .y=false', ' .z=2', ' .z=1'),
  fc.constantFrom('', '', '', ' parent=ff'),
)

export const randomTrace: fc.Arbitrary<SpanRow[]> = fc
  .array(fc.tuple(line, fc.nat(5)), { minLength: 1, maxLength: 12 })
  .map((lines) => {
    let depth = -1
    const drawn = lines.map(([[name, start, lasts, ...more], indent]) => {
      depth = Math.min(depth + 1, indent)
      return `${' '.repeat(depth)}${name} ${start}ms+${lasts}ms${more.join('')}`
    })
    return drawTrace(drawn.join('\n'))
  })
