/** Runs off the main thread: fetch, parse, tree, times, find. Parsed spans stay here; the page gets typed arrays. */
import type { OtlpLogs, OtlpTraces } from '../model/otlp-json.ts'
import { findSpans } from '../model/find.ts'
import { groupLogs, logsBesideSpans, showSpan } from '../model/span-details.ts'
import type { ShownLog } from '../model/span-details.ts'
import { decodeSpans } from '../model/span-list.ts'
import type { SpanList } from '../model/span-list.ts'
import { computeTiming } from '../model/timing.ts'
import type { Timing } from '../model/trace.ts'
import { buildTree } from '../model/tree.ts'
import type { Layout } from '../model/tree.ts'
import { ApiError, getJson } from './api.ts'
import type { Answers, Found, FromWorker, Opened, SpanLogs, ToWorker } from './trace-messages.ts'

interface OpenTrace {
  readonly traceId: string
  readonly list: SpanList
  readonly layout: Layout
}
let open: OpenTrace | undefined
let logs: Promise<Map<bigint, ShownLog[]>> | undefined

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  answer(data).then(
    (value) => postMessage({ id: data.id, answer: value } satisfies FromWorker),
    (error: unknown) => postMessage({ id: data.id, failure: asFailure(error) } satisfies FromWorker),
  )
})

async function answer(message: ToWorker): Promise<Answers[keyof Answers]> {
  switch (message.ask) {
    case 'open':
      return openTrace(message.traceId, message.adjusted)
    case 'timing':
      return timing(message.adjusted)
    case 'find':
      return find(message.text)
    case 'details': {
      const source = sourceOf(message.node)
      return source < 0 ? undefined : showSpan(open!.list.sources[source]!)
    }
    case 'logs':
      return logsOf(message.node)
  }
}

function sourceOf(node: number): number {
  return open?.layout.source[node] ?? -1
}

async function openTrace(traceId: string, adjusted: boolean): Promise<Opened> {
  const traces = await getJson<OtlpTraces>({
    what: `open trace ${traceId}`,
    path: `/traces/${encodeURIComponent(traceId)}`,
  })
  const list = decodeSpans(traces)
  if (list.count === 0)
    throw new ApiError({
      status: 404,
      what: `open trace ${traceId}`,
      why: 'it has no spans',
      next: 'Retry; its spans may be on their way.',
    })
  const layout = buildTree(list)
  open = { traceId, list, layout }
  logs = undefined
  const raw = timing(false)
  return { tree: layout.tree, timing: adjusted ? timing(true) : raw, rawStart: raw.start }
}

function timing(adjusted: boolean): Timing {
  return computeTiming(open!.list, open!.layout, adjusted)
}

function find(text: string): Found {
  const bySpan = findSpans(open!.list, text)
  if (bySpan === undefined) return { marks: undefined, count: 0 }
  const marks = Uint8Array.from(open!.layout.source, (span) => (span >= 0 ? bySpan[span]! : 0))
  return { marks, count: marks.reduce((sum, mark) => sum + mark, 0) }
}

function readLogs(): Promise<Map<bigint, ShownLog[]>> {
  const path = `/traces/${encodeURIComponent(open!.traceId)}/logs`
  logs ??= getJson<OtlpLogs>({ what: 'read the logs of the trace', path }).then(groupLogs)
  logs.catch(() => {
    logs = undefined
  })
  return logs
}

async function logsOf(node: number): Promise<SpanLogs> {
  const { list } = open!
  const source = sourceOf(node)
  const bySpan = await readLogs()
  return {
    own: source < 0 ? [] : (bySpan.get(list.id[source]!) ?? []),
    others: node === 0 ? logsBesideSpans(bySpan, list.id) : [],
  }
}

function asFailure(error: unknown): { status: number; what: string; why: string; next: string } {
  if (error instanceof ApiError) return { status: error.status, what: error.what, why: error.why, next: error.next }
  const why = error instanceof Error ? error.message : String(error)
  return { status: -1, what: 'lay out the trace', why, next: 'Copy the OTLP JSON and report this as a bug.' }
}
