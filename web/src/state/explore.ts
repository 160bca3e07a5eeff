/** Explore: URL -> requests -> answers. Answers of recent URLs are kept, so that Back shows the same page at once. */
import { computed, effect, signal } from '@preact/signals'
import type {
  FacetsAnswer,
  StatusAnswer,
  TraceOverviewAnswer,
  TraceSearchAnswer,
  TraceSummary,
} from '../../../src/api/native/contract.ts'
import { emptyExplore, filterParameters, parseExplore, printExplore, removeFilter } from '../model/search-filters.ts'
import type { Box, ExploreState, Filter } from '../model/search-filters.ts'
import { isInBox, rangeHolding, tracesInBox } from '../model/heat-grid.ts'
import { nearestNames } from '../model/nearest.ts'
import { printRfc3339, resolveRange } from '../model/time.ts'
import type { Range } from '../model/time.ts'
import * as api from './api.ts'
import { createLoader } from './loader.ts'
import { go, place, printUrl } from './location.ts'
import { copy } from './notice.ts'

export const explorePath = '/explore'
const pageSize = 100
const heatColumns = 96
const limitMax = 1000
/** To fill one page of a box, at most this many pages of `limitMax` traces are read. */
const boxPagesMax = 10
const rememberedMax = 12
const emptyPollMs = 2000

export interface Page {
  readonly traces: readonly TraceSummary[]
  readonly total: number
  readonly nextCursor: string | undefined
}

/** Why nothing is shown, and what a person can do about it. */
export interface NoMatch {
  readonly without: readonly { readonly filter: Filter; readonly total: number }[]
  readonly lastMatchMs: number | undefined
  readonly nearest: readonly { readonly filter: Filter; readonly names: readonly string[] }[]
}

export const isExplore = computed(() => place.value.path === '/' || place.value.path === explorePath)
export const exploreState = computed<ExploreState>(() =>
  isExplore.value ? parseExplore(new URLSearchParams(place.value.search)) : emptyExplore,
)
/** The range in milliseconds, fixed when the query ran, so that paging and the map use the same times. */
export const exploreRange = signal(resolveRange(emptyExplore.range, Date.now()))

export const page = createLoader<Page>()
export const overview = createLoader<TraceOverviewAnswer>()
export const facets = createLoader<FacetsAnswer>()
export const noMatch = createLoader<NoMatch>()
/** Set while the store is empty. */
export const emptyStore = signal<StatusAnswer | undefined>(undefined)
export const scrollTop = signal(0)
/** The trace under the pointer, in the table or on the map. */
export const pointed = signal('')

interface Remembered {
  readonly page: Page
  readonly overview: TraceOverviewAnswer | undefined
  readonly facets: FacetsAnswer | undefined
  readonly range: { fromMs: number; toMs: number }
  readonly scrollTop: number
}
const remembered = new Map<string, Remembered>()

export function exploreUrl(state: ExploreState): string {
  return printUrl(explorePath, printExplore(state))
}

const printedRange = ({ fromMs, toMs }: { fromMs: number; toMs: number }): Range => ({
  from: printRfc3339(fromMs),
  to: printRfc3339(toMs),
})
const isSameRange = (a: Range, b: Range): boolean => a.from === b.from && a.to === b.to

/** Copies the address with fixed times, because "the last hour" would be a different one for whoever opens it. */
export function shareExplore(): void {
  const url = exploreUrl({ ...exploreState.value, range: printedRange(exploreRange.value) })
  void copy(location.origin + url, 'Link')
}

/** The range before a box fixed it. */
let beforeBox: { readonly fixed: Range; readonly range: Range } | undefined

/** A box has fixed times, so the range is fixed too until the box is removed. */
function rangeFor(next: ExploreState, old: ExploreState): Range {
  if (next.box && !old.box && next.range.to === '') {
    beforeBox = { fixed: printedRange(exploreRange.value), range: next.range }
    return beforeBox.fixed
  }
  const isLet = !next.box && old.box && beforeBox && isSameRange(next.range, beforeBox.fixed)
  return isLet ? beforeBox!.range : next.range
}

/** Changes part of the state in one step, which Back undoes. */
export function change(part: Partial<ExploreState>): void {
  const old = exploreState.value
  const wanted = { ...old, ...part }
  const next = { ...wanted, range: rangeFor(wanted, old) }
  if (exploreUrl(next) === exploreUrl(exploreState.value)) void run()
  else go(exploreUrl(next), { results: undefined })
}

function remember(url: string): void {
  const value = page.state.value.value
  if (value === undefined || page.state.value.since !== 0 || page.state.value.error) return
  remembered.delete(url)
  remembered.set(url, {
    page: value,
    overview: overview.state.value.value,
    facets: facets.state.value.value,
    range: exploreRange.value,
    scrollTop: scrollTop.value,
  })
  for (const oldest of remembered.keys()) {
    if (remembered.size <= rememberedMax) break
    remembered.delete(oldest)
  }
}

let shown = ''
let shownFilters = ''
let shownRange = emptyExplore.range

/** Follows the URL as long as the page is open. */
export function startExplore(): void {
  effect(() => {
    const url = isExplore.value ? exploreUrl(exploreState.value) : ''
    queueMicrotask(() => {
      if (url === shown) return
      if (shown !== '') remember(shown)
      shown = url
      if (url === '') return
      const old = remembered.get(url)
      if (old) restore(old)
      else void run()
    })
  })
}

function restore(old: Remembered): void {
  exploreRange.value = old.range
  page.set(old.page)
  overview.set(old.overview)
  facets.set(old.facets)
  noMatch.set(undefined)
  shownFilters = filtersKey()
  shownRange = exploreState.value.range
  scrollTop.value = old.scrollTop
  if (old.page.total === 0) void explainNothing()
}

function filtersKey(): string {
  return exploreUrl({ ...emptyExplore, filters: exploreState.value.filters })
}

/**
 * Sends the requests again. Map, facets and statistics do not depend on order or box, so they stay if only those
 * changed.
 */
export async function run(options: { force?: boolean } = {}): Promise<void> {
  const { range, box } = exploreState.value
  const isShown = isSameRange(range, shownRange) || isSameRange(range, printedRange(exploreRange.value))
  const isSameQuery = isShown && filtersKey() === shownFilters && !options.force
  if (!isSameQuery) exploreRange.value = resolveRange(range, Date.now())
  shownFilters = filtersKey()
  shownRange = range
  const wider = box && rangeHolding(box, exploreRange.value)
  if (wider) return go(exploreUrl({ ...exploreState.value, range: printedRange(wider) }), { replace: true })
  scrollTop.value = 0
  noMatch.set(undefined)
  const shared = withRange(filterParameters(exploreState.value.filters))
  const rest = isSameQuery
    ? []
    : [
        overview.run((signal) => {
          const search = new URLSearchParams(shared)
          search.set('buckets', String(heatColumns))
          return api.traceOverview(search, signal)
        }),
        facets.run((signal) => api.facets(shared, signal)),
      ]
  // The total of a box comes from the map.
  const before = exploreState.value.box ? Promise.all(rest) : Promise.resolve()
  const readFirst = async (signal: AbortSignal): Promise<Page> => {
    await before
    return readPage(pageSize, signal)
  }
  await Promise.all([page.run(readFirst), ...rest])
  if (page.state.value.value?.total === 0 && !page.state.value.error) await explainNothing()
  else emptyStore.value = undefined
}

function asPage({ traces, total, nextCursor }: TraceSearchAnswer): Page {
  return { traces, total, nextCursor }
}

function withRange(search: URLSearchParams): URLSearchParams {
  search.set('start', printRfc3339(exploreRange.value.fromMs))
  search.set('end', printRfc3339(exploreRange.value.toMs))
  return search
}

/** The search's parameters; a box narrows the time. */
function pageParameters(limit: number, cursor?: string): URLSearchParams {
  const { filters, sort, box } = exploreState.value
  const search = withRange(filterParameters(filters))
  if (box) {
    search.set('start', printRfc3339(Math.max(exploreRange.value.fromMs, box.fromMs)))
    search.set('end', printRfc3339(Math.min(exploreRange.value.toMs, box.toMs)))
  }
  search.set('limit', String(limit))
  if (sort !== 'time') search.set('sort', sort)
  if (cursor) search.set('cursor', cursor)
  return search
}

async function readPage(limit: number, signal: AbortSignal, cursor?: string): Promise<Page> {
  const { box } = exploreState.value
  return box ? readBox(box, signal, cursor) : asPage(await api.searchTraces(pageParameters(limit, cursor), signal))
}

/**
 * Traces of the box. The search can limit the duration of spans but not of traces, so the box's duration is checked
 * here. Until the list is complete, the total is that of the map's cells.
 */
async function readBox(box: Box, signal: AbortSignal, after?: string): Promise<Page> {
  const traces: TraceSummary[] = []
  let cursor = after
  for (let i = 0; i < boxPagesMax && traces.length < pageSize; i++) {
    const answer = await api.searchTraces(pageParameters(limitMax, cursor), signal)
    traces.push(...answer.traces.filter(({ durationNano }) => isInBox(box, Number(durationNano))))
    cursor = answer.nextCursor
    if (cursor === undefined) break
  }
  const isComplete = cursor === undefined && after === undefined && exploreState.value.sort === 'time'
  const cells = overview.state.value.value ? tracesInBox(overview.state.value.value, box) : traces.length
  return { traces, total: isComplete ? traces.length : Math.max(traces.length, cells), nextCursor: cursor }
}

/** Loads one more page. Only "newest first" has a cursor; for other orders a longer list is read again. */
export async function showMore(): Promise<void> {
  const old = page.state.value.value
  if (!old || !canShowMore(old)) return
  await page.run(async (signal) => {
    if (!old.nextCursor) return readPage(Math.min(limitMax, old.traces.length * 2), signal)
    const more = await readPage(pageSize, signal, old.nextCursor)
    return { ...more, total: Math.max(old.total, more.total), traces: [...old.traces, ...more.traces] }
  })
}

export function canShowMore({ traces, total, nextCursor }: Page): boolean {
  const isLonger = exploreState.value.box === undefined && traces.length < limitMax
  return traces.length < total && (nextCursor !== undefined || isLonger)
}

async function explainNothing(): Promise<void> {
  const { filters } = exploreState.value
  const isEmpty = await api.status().then(
    (status) => {
      emptyStore.value = status.stored.spans === 0 ? status : undefined
      return status.stored.spans === 0
    },
    () => false,
  )
  if (isEmpty) return void setTimeout(pollEmpty, emptyPollMs)
  await noMatch.run(async (signal) => {
    const without = await Promise.all(
      filters.map(async (filter) => {
        const search = withRange(filterParameters(removeFilter(filters, filter)))
        return { filter, total: (await api.traceOverview(search, signal)).total }
      }),
    )
    const last = overview.state.value.value?.lastMatch
    return { without, lastMatchMs: last ? Date.parse(last) : undefined, nearest: await nearest(filters) }
  })
}

async function nearest(filters: readonly Filter[]): Promise<NoMatch['nearest']> {
  const service = filters.find(({ field }) => field === 'service')
  if (!service) return []
  const { fromMs, toMs } = exploreRange.value
  const known = (await api.services(fromMs, toMs)).services.map(({ name }) => name)
  const names = known.includes(service.value) ? [] : nearestNames(service.value, known)
  return names.length === 0 ? [] : [{ filter: service, names }]
}

/** Someone is about to send the first span: show it as soon as it arrives. */
async function pollEmpty(): Promise<void> {
  if (!isExplore.value || emptyStore.value === undefined) return
  const status = await api.status().catch(() => emptyStore.value!)
  if (status.stored.spans > 0) await run({ force: true })
  else setTimeout(pollEmpty, emptyPollMs)
}
