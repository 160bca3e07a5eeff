/**
 * Traces drawn as text, for tests. Each line is a span, indented by 2 spaces under its parent. Each `=` is a
 * millisecond, counted from the `|`; all bars line up.
 *
 *   shop pay :server     |==========
 *     cart reserve !     | ====
 *     ~ mail send        |       ===
 *
 * After the service and the name: `:kind`, `!` error, `?` no end. Before them: `~` the parent was never sent.
 */
import { kindNames } from '../otlp-json.ts'
import type { OtlpSpan, OtlpTraces } from '../otlp-json.ts'
import { decodeSpans } from '../span-list.ts'
import type { SpanList } from '../span-list.ts'
import { computeTiming } from '../timing.ts'
import type { Stretches, Trace } from '../trace.ts'
import { nodeTitle } from '../trace.ts'
import { buildTree } from '../tree.ts'
import type { Layout } from '../tree.ts'

const startNano = 1_700_000_000_000_000_000n
const msNanos = 1_000_000n

export function drawnOtlp(drawing: string): OtlpTraces {
  const lines = drawing.split('\n').filter((line) => line.includes('|'))
  const margin = Math.min(...lines.map((line) => line.search(/\S/)))
  const ids: string[] = []
  const byService = new Map<string, OtlpSpan[]>()
  lines.forEach((line, i) => {
    const [head, bar] = [line.slice(0, line.indexOf('|')), line.slice(line.indexOf('|') + 1)]
    const level = (head.search(/\S/) - margin) / 2
    const isLost = head.trim().startsWith('~')
    const words = head.replace('~', '').trim().split(/\s+/)
    const kind = words.find((word) => word.startsWith(':'))?.slice(1) ?? 'internal'
    const [service, ...name] = words.filter((word) => !word.startsWith(':') && word !== '!' && word !== '?')
    const from = startNano + BigInt(bar.search(/[=.]/)) * msNanos
    const spanId = String(i + 1).padStart(16, '0')
    ids[level] = spanId
    const parentSpanId = isLost ? 'f'.repeat(16) : level > 0 ? ids[level - 1]! : ''
    const span: OtlpSpan = {
      traceId: 'a'.repeat(32),
      spanId,
      parentSpanId,
      name: name.join(' '),
      kind: kindNames.indexOf(kind as (typeof kindNames)[number]),
      startTimeUnixNano: String(from),
      endTimeUnixNano: words.includes('?') ? '0' : String(from + BigInt(bar.split('=').length - 1) * msNanos),
      status: words.includes('!') ? { code: 2 } : {},
    }
    byService.set(service!, [...(byService.get(service!) ?? []), span])
  })
  return {
    resourceSpans: [...byService].map(([service, spans]) => ({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
      scopeSpans: [{ spans }],
    })),
  }
}

export interface DrawnTrace extends Trace {
  readonly list: SpanList
  readonly layout: Layout
}

export function drawnTrace(drawing: string, adjusted = false): DrawnTrace {
  const list = decodeSpans(drawnOtlp(drawing))
  const layout = buildTree(list)
  return { list, layout, tree: layout.tree, timing: computeTiming(list, layout, adjusted) }
}

/** One line per node, indented by depth. */
export function outline({ tree }: Trace, nodes: Iterable<number> = Array(tree.nodeCount).keys()): string[] {
  return Array.from(nodes, (node) => '  '.repeat(tree.depth[node]!) + nodeTitle(tree, node))
}

/** Time ranges of a node in milliseconds: `0-2 5-6`. */
export function printStretches({ first, from, to }: Stretches, node: number): string {
  const parts: string[] = []
  for (let i = first[node]!; i < first[node + 1]!; i++) parts.push(`${from[i]! / 1e6}-${to[i]! / 1e6}`)
  return parts.join(' ')
}

export function nodeNamed({ tree }: Trace, name: string): number {
  for (let node = 0; node < tree.nodeCount; node++) if (nodeTitle(tree, node) === name) return node
  throw new Error(`the drawing has no ${name}`)
}
