/**
 * A trace on a terminal: one line per span with its place in the tree, duration, self time, and a bar on a common time
 * axis. In a bar `█` is self time and `─` is time in which a child ran; `!` marks an error.
 *
 *     span                     duration     self  0                        1.84 s
 *     shop POST /pay             1.84 s   410 ms  ██────────────────────────█████
 *     ├─ cart reserve !          812 ms   790 ms    ████████████
 */
import { showCount, showDuration, showTime, zoneName } from '../terminal/format.ts'
import { slotsOf } from '../../base/name-slots.ts'
import type { Paint } from '../terminal/paint.ts'
import { treeLines } from './span-tree.ts'
import type { SpanTree, TreeLine, TreeSpan } from './span-tree.ts'
import { clean, fit, padEnd, padStart } from '../terminal/terminal-text.ts'

export interface TraceViewOptions {
  /** Width of the terminal in columns. */
  readonly width: number
  readonly paint: Paint
  /** Unindented lines below a span: attributes, events, logs. */
  readonly detailsOf?: (item: TreeSpan) => readonly string[]
}

interface Layout {
  readonly tree: SpanTree
  readonly slots: ReadonlyMap<string, number>
  readonly nameWidth: number
  readonly barWidth: number
  readonly options: TraceViewOptions
}

const figureWidth = 12
const gap = '  '

export function* traceViewLines(tree: SpanTree, options: TraceViewOptions): Generator<string> {
  const layout = layoutOf(tree, options)
  yield* headLines(layout)
  for (const root of tree.roots) yield* partLines(root, layout)
  if (tree.orphans.length > 0) yield options.paint.muted('missing parent')
  for (const orphan of tree.orphans) yield* partLines(orphan, layout)
}

/** Names get the width they need, up to half of the total; bars get the rest, at least 20 columns. */
function layoutOf(tree: SpanTree, options: TraceViewOptions): Layout {
  const available = options.width - 2 * figureWidth - 3 * gap.length
  let longest = 'span'.length
  for (const top of [...tree.roots, ...tree.orphans]) {
    for (const { item, depth } of treeLines(top)) longest = Math.max(longest, depth * 3 + titleOf(item).length + 2)
  }
  const nameWidth = Math.max(16, Math.min(longest, Math.floor(options.width / 2), available - 20))
  const services = [...new Set(tree.spans.map((item) => item.service))]
  const serviceSlots = slotsOf(services)
  const slots = new Map(services.map((service, i) => [service, serviceSlots[i]!]))
  return { tree, slots, nameWidth, barWidth: Math.max(20, available - nameWidth), options }
}

function* headLines({ tree, nameWidth, barWidth, options: { paint } }: Layout): Generator<string> {
  const root = tree.roots[0] ?? tree.orphans[0]
  const services = new Set(tree.spans.map((item) => item.service)).size
  const start = new Date(Number(tree.startNanos / 1_000_000n)).toISOString()
  const errors =
    tree.errorCount === 0
      ? 'no errors'
      : `${showCount(tree.errorCount)} ${tree.errorCount === 1 ? 'error' : 'errors'} !`
  const facts = [
    showDuration(tree.duration),
    `${showCount(tree.spans.length)} ${tree.spans.length === 1 ? 'span' : 'spans'}`,
    `${services} ${services === 1 ? 'service' : 'services'}`,
    tree.errorCount === 0 ? errors : paint.error(errors),
  ]
  yield `${paint.strong(root === undefined ? '' : clean(titleOf(root)))}${gap}${facts.join(gap)}`
  yield `${showTime(start)} ${zoneName(start)}${gap}${root?.span.traceId ?? ''}`
  if (tree.notes.length > 0) yield paint.muted(tree.notes.join(', '))
  yield ''
  const axis = padEnd('0', barWidth - showDuration(tree.duration).length) + showDuration(tree.duration)
  yield paint.muted(
    [padEnd('span', nameWidth), padStart('duration', figureWidth), padStart('self', figureWidth), axis]
      .join(gap)
      .trimEnd(),
  )
}

function* partLines(top: TreeSpan, layout: Layout): Generator<string> {
  const { paint, detailsOf } = layout.options
  for (const line of treeLines(top)) {
    const { item } = line
    const slot = layout.slots.get(item.service) ?? 0
    const duration = padStart(showDuration(item.end - item.start), figureWidth)
    const self = padStart(showDuration(item.self), figureWidth)
    const bar = paint.service(slot, barOf(item, layout.tree.duration, layout.barWidth))
    yield `${nameCell(line, slot, layout)}${gap}${duration}${gap}${self}${gap}${bar}`.trimEnd()
    const indent = ' '.repeat(Math.min(line.depth * 3, indentMax(layout.nameWidth)) + 4)
    for (const detail of detailsOf?.(item) ?? []) yield indent + paint.muted(detail)
  }
}

/** Deep levels share the last indentation and show their depth, so that names stay readable. */
function nameCell({ item, depth, isLast }: TreeLine, slot: number, { nameWidth, options: { paint } }: Layout): string {
  const levels = Math.floor(indentMax(nameWidth) / 3)
  const branches = isLast.map((last, index) =>
    index < isLast.length - 1 ? (last ? '   ' : '│  ') : last ? '└─ ' : '├─ ',
  )
  const indent = depth <= levels ? branches.join('') : padEnd(`${'·'.repeat(levels)} ${depth} `, levels * 3)
  const mark = item.isError ? ' !' : ''
  const title = fit(clean(titleOf(item)), nameWidth - indent.length - mark.length)
  const service = item.service === '' ? '' : fit(clean(item.service), title.length)
  const painted = title.startsWith(service) ? paint.service(slot, service) + title.slice(service.length) : title
  const fill = padEnd(title + mark, nameWidth - indent.length).slice(title.length + mark.length)
  return `${paint.muted(indent)}${painted}${mark === '' ? '' : paint.error(mark)}${fill}`
}

function indentMax(nameWidth: number): number {
  return Math.max(nameWidth - 20, nameWidth >> 1)
}

function titleOf(item: TreeSpan): string {
  return `${item.service} ${item.span.name ?? ''}`.trim() || '(no name)'
}

/** Every span gets at least one cell. A cell is self time unless children fill at least half of it. */
export function barOf(item: TreeSpan, traceDuration: number, width: number): string {
  const perCell = Math.max(traceDuration, 1) / width
  const first = Math.min(width - 1, Math.floor(item.start / perCell))
  const last = Math.max(first, Math.min(width - 1, Math.ceil(item.end / perCell) - 1))
  const covered = new Float64Array(last - first + 1)
  let until = item.start
  for (const child of item.children) {
    const from = Math.max(until, child.start)
    const to = Math.min(item.end, child.end)
    if (to <= from) continue
    until = to
    for (let cell = Math.floor(from / perCell); cell <= Math.min(last, Math.floor(to / perCell)); cell += 1) {
      const overlap = Math.min(to, (cell + 1) * perCell) - Math.max(from, cell * perCell)
      if (cell >= first && overlap > 0) covered[cell - first]! += overlap
    }
  }
  const cells = Array.from(covered, (time) => (time * 2 >= perCell ? '─' : '█'))
  return ' '.repeat(first) + cells.join('')
}
