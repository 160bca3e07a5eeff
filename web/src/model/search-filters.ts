/**
 * The filters of Explore: one list that the chips show, the URL keeps and the API receives. A single span of the trace
 * must meet all conditions.
 */
import { parseDuration, printDuration } from './format.ts'
import type { Range } from './time.ts'
import { defaultFrom, rangeProblem } from './time.ts'

export type FilterField = 'service' | 'operation' | 'status' | 'min' | 'max' | 'attribute'

export interface Filter {
  readonly field: FilterField
  /** The attribute's key; empty for other fields. */
  readonly key: string
  readonly value: string
}

export type SortBy = 'time' | 'duration' | 'spans' | 'errors'
const sortColumns: readonly SortBy[] = ['time', 'duration', 'spans', 'errors']
export const statusValues = ['error', 'ok', 'unset'] as const

/** A rectangle of the heat map. */
export interface Box {
  readonly fromMs: number
  readonly toMs: number
  readonly minNano: number
  readonly maxNano: number
}

export interface ExploreState {
  readonly filters: readonly Filter[]
  readonly range: Range
  readonly sort: SortBy
  readonly box: Box | undefined
}

export const emptyExplore: ExploreState = {
  filters: [],
  range: { from: defaultFrom, to: '' },
  sort: 'time',
  box: undefined,
}

/** Fields that a search has at most once. */
const single: readonly FilterField[] = ['service', 'operation', 'status', 'min', 'max']

export function addFilter(filters: readonly Filter[], filter: Filter): Filter[] {
  const kept = filters.filter((old) =>
    single.includes(filter.field)
      ? old.field !== filter.field
      : !(old.field === 'attribute' && old.key === filter.key && old.value === filter.value),
  )
  return [...kept, filter]
}

export function removeFilter(filters: readonly Filter[], filter: Filter): Filter[] {
  return filters.filter((old) => old.field !== filter.field || old.key !== filter.key || old.value !== filter.value)
}

export function valueOf(filters: readonly Filter[], field: FilterField): string | undefined {
  return filters.find((filter) => filter.field === field)?.value
}

export function parseExplore(search: URLSearchParams): ExploreState {
  let filters: Filter[] = []
  for (const field of single) {
    const value = search.get(field)
    if (value !== null && value !== '' && isValid(field, value)) filters = addFilter(filters, { field, key: '', value })
  }
  for (const pair of search.getAll('attribute')) {
    const at = pair.indexOf('=')
    if (at > 0) filters = addFilter(filters, { field: 'attribute', key: pair.slice(0, at), value: pair.slice(at + 1) })
  }
  const sort = search.get('sort') as SortBy
  const range = rangeIn(search)
  return {
    filters,
    range: rangeProblem(range) === undefined ? range : emptyExplore.range,
    sort: sortColumns.includes(sort) ? sort : 'time',
    box: parseBox(search.get('box') ?? ''),
  }
}

function rangeIn(search: URLSearchParams): Range {
  return { from: search.get('from') || defaultFrom, to: search.get('to') ?? '' }
}

/** Parts of an address that `parseExplore` leaves out, each with what would be right. */
export function exploreProblems(search: URLSearchParams): string[] {
  const problems: string[] = []
  const status = search.get('status')
  if (status && !isValid('status', status)) problems.push(`status=${status} is none of ${statusValues.join(', ')}`)
  for (const field of ['min', 'max'] as const) {
    const value = search.get(field)
    if (value && !isValid(field, value)) problems.push(`${field}=${value} is not a duration, such as 500ms`)
  }
  for (const pair of search.getAll('attribute'))
    if (pair.indexOf('=') <= 0) problems.push(`attribute=${pair} is not a key, “=” and a value`)
  const range = rangeProblem(rangeIn(search))
  if (range) problems.push(`${range}; this is the last hour`)
  const sort = search.get('sort')
  if (sort && !(sortColumns as readonly string[]).includes(sort))
    problems.push(`sort=${sort} is none of ${sortColumns.join(', ')}`)
  const box = search.get('box')
  if (box && !parseBox(box)) problems.push(`box=${box} is not a box of the map`)
  return problems
}

function isValid(field: FilterField, value: string): boolean {
  if (field === 'min' || field === 'max') return parseDuration(value) !== undefined
  return field !== 'status' || (statusValues as readonly string[]).includes(value)
}

export function printExplore({ filters, range, sort, box }: ExploreState): URLSearchParams {
  const search = new URLSearchParams()
  for (const { field, key, value } of filters) {
    if (field === 'attribute') search.append('attribute', `${key}=${value}`)
    else search.set(field, value)
  }
  if (range.from !== defaultFrom || range.to !== '') search.set('from', range.from)
  if (range.to !== '') search.set('to', range.to)
  if (sort !== 'time') search.set('sort', sort)
  if (box) search.set('box', printBox(box))
  return search
}

function parseBox(text: string): Box | undefined {
  const [fromMs, toMs, minNano, maxNano] = text.split('_').map(Number)
  const numbers = [fromMs, toMs, minNano, maxNano]
  if (!numbers.every((number) => number !== undefined && Number.isFinite(number) && number >= 0)) return undefined
  return fromMs! < toMs! && minNano! < maxNano!
    ? { fromMs: fromMs!, toMs: toMs!, minNano: minNano!, maxNano: maxNano! }
    : undefined
}

function printBox({ fromMs, toMs, minNano, maxNano }: Box): string {
  return [fromMs, toMs, minNano, maxNano].map(Math.round).join('_')
}

/** Query parameters that the search, overview and facets routes share. */
export function filterParameters(filters: readonly Filter[]): URLSearchParams {
  const names: Record<FilterField, string> = {
    service: 'service',
    operation: 'operation',
    status: 'status',
    min: 'minDuration',
    max: 'maxDuration',
    attribute: 'attribute',
  }
  const search = new URLSearchParams()
  for (const { field, key, value } of filters) {
    const text =
      field === 'attribute' ? `${key}=${value}` : field === 'min' || field === 'max' ? value.replaceAll(' ', '') : value
    search.append(names[field], text)
  }
  return search
}

/** The text of a chip: `service = cart`, `duration ≥ 500 ms`. */
export function printFilter({ field, key, value }: Filter): { name: string; sign: string; value: string } {
  if (field === 'min' || field === 'max') {
    return { name: 'duration', sign: field === 'min' ? '≥' : '≤', value: printDuration(parseDuration(value) ?? 0) }
  }
  return { name: field === 'attribute' ? key : field, sign: '=', value }
}

/**
 * Parses typed text into a filter: `service=cart`, `duration>500ms`, `min=1.5s`, `http.route="/pay now"`. Field names
 * win over attributes of the same name. `undefined` while the text is not complete.
 */
export function parseTyped(text: string): Filter | undefined {
  const match = /^([^\s=<>≥≤!{}]+)\s*(>=|<=|≥|≤|=|>|<)\s*(?:"([^"]*)"|(\S.*)?)$/.exec(text.trim())
  if (!match) return undefined
  const [, name, sign, quoted, plain] = match
  const value = quoted ?? plain ?? ''
  if (value === '') return undefined
  if (name === 'duration' || name === 'min' || name === 'max') {
    if (parseDuration(value) === undefined) return undefined
    const isLow = name === 'min' || (name === 'duration' && (sign!.startsWith('>') || sign === '≥'))
    return name === 'duration' && sign === '='
      ? undefined
      : { field: isLow ? 'min' : 'max', key: '', value: value.replaceAll(' ', '') }
  }
  if (sign !== '=') return undefined
  if (name === 'status') return isValid('status', value) ? { field: 'status', key: '', value } : undefined
  if (name === 'service' || name === 'service.name') return { field: 'service', key: '', value }
  if (name === 'operation' || name === 'name') return { field: 'operation', key: '', value }
  return { field: 'attribute', key: name!, value }
}

/** Why `parseTyped` rejected a text, and what would be right. */
export function explainTyped(text: string): string {
  const [, name = '', sign = ''] = /^([^\s=<>≥≤!]*)\s*(!=|!~|>=|<=|≥|≤|=|>|<)/.exec(text.trimStart()) ?? []
  if (/^\s*\{/.test(text)) return 'Filters are written without braces, one after the other: status=error'
  if (sign.startsWith('!')) return `“Not” is not there yet: a filter says what a span has, such as ${name}=…`
  if (name === 'status') return `A status is one of ${statusValues.join(', ')}: status=error`
  if (name === 'duration' || name === 'min' || name === 'max')
    return 'A duration has a sign, a number and a unit: duration>500ms, duration<2s'
  if (name !== '' && sign !== '=' && sign !== '') return `Only durations have an order: duration${sign}500ms, ${name}=…`
  return 'Write a field, a sign and a value: service=cart, duration>500ms, http.route=/pay'
}
