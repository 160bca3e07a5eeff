/** The part of a trace's view that is in the URL: `/trace/ID?span,t,find,only,crit,err,slow,skew,fold`. */
import { parsePastedTraceId } from '../../../src/base/pasted-id.ts'
import { noFilters } from '../model/rows.ts'
import type { RowFilters } from '../model/rows.ts'
import { printUrl } from './location.ts'

/** Nanoseconds from the trace's start. */
export interface TimeWindow {
  readonly from: number
  readonly to: number
}

export interface TraceUrl {
  /** Key of the selected node, '' when the URL has none. */
  readonly span: string
  /** `undefined` for the whole trace. */
  readonly window: TimeWindow | undefined
  readonly find: string
  readonly filters: RowFilters
  readonly adjusted: boolean
  readonly fold: string
}

export function tracePath(traceId: string): string {
  return '/trace/' + traceId
}

/**
 * The full id of `/trace/ID`, which may lack leading zeros or come from a pasted header; `undefined` for other pages.
 */
export function traceIdOf(path: string): string | undefined {
  const typed = /^\/trace\/([^/]+)\/?$/.exec(path)?.[1]
  return typed === undefined ? undefined : (parsePastedTraceId(unescaped(typed)) ?? typed)
}

/** A text with a broken escape is kept as it is, because it cannot be a trace id. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function parseTraceUrl(search: URLSearchParams): TraceUrl {
  const isOn = (name: string): boolean => search.get(name) === '1'
  const [from, to] = (search.get('t') ?? '').split('-').map(Number)
  return {
    span: search.get('span') ?? '',
    window: from !== undefined && to !== undefined && from >= 0 && to > from ? { from, to } : undefined,
    find: search.get('find') ?? '',
    filters: { ...noFilters, found: isOn('only'), critical: isOn('crit'), errors: isOn('err'), slow: isOn('slow') },
    adjusted: search.get('skew') === 'adjusted',
    fold: search.get('fold') ?? '',
  }
}

export function printTraceUrl(traceId: string, url: TraceUrl): string {
  const search = new URLSearchParams()
  if (url.span) search.set('span', url.span)
  if (url.window) search.set('t', `${Math.round(url.window.from)}-${Math.round(url.window.to)}`)
  if (url.find) search.set('find', url.find)
  if (url.filters.found) search.set('only', '1')
  if (url.filters.critical) search.set('crit', '1')
  if (url.filters.errors) search.set('err', '1')
  if (url.filters.slow) search.set('slow', '1')
  if (url.adjusted) search.set('skew', 'adjusted')
  if (url.fold) search.set('fold', url.fold)
  return printUrl(tracePath(traceId), search)
}
