/** The native API, typed by its contract. Every failure says what was tried, why it failed and what to do next. */
import type {
  AttributeValuesAnswer,
  ErrorBody,
  FacetsAnswer,
  OperationsAnswer,
  ServicesAnswer,
  StatusAnswer,
  TraceOverviewAnswer,
  TraceSearchAnswer,
} from '../../../src/api/native/contract.ts'
import type { attributeKeysAnswer } from '../../../src/api/native/contract.ts'

type AttributeKeysAnswer = (typeof attributeKeysAnswer)['_zod']['output']

/** `what` failed; `why` is the reason in the server's words; `next` says what to do. */
export class ApiError extends Error {
  readonly status: number
  readonly what: string
  readonly why: string
  readonly next: string
  constructor(fields: { status: number; what: string; why: string; next: string }) {
    super(`cannot ${fields.what}: ${fields.why}`)
    this.name = 'ApiError'
    this.status = fields.status
    this.what = fields.what
    this.why = fields.why
    this.next = fields.next
  }
}

export interface Request {
  readonly what: string
  readonly path: string
  readonly search?: URLSearchParams
  readonly signal?: AbortSignal | undefined
}

export function apiUrl({ path, search }: Pick<Request, 'path' | 'search'>): string {
  const query = search?.toString() ?? ''
  return `/api/v1${path}${query === '' ? '' : '?' + query}`
}

/** The answer's JSON; rejects with `ApiError`, or with an `AbortError` when the signal is aborted. */
export async function getJson<T>(request: Request): Promise<T> {
  const { what, signal } = request
  let response: Response
  try {
    response = await fetch(apiUrl(request), { signal: signal ?? null, headers: { accept: 'application/json' } })
  } catch (error) {
    if (signal?.aborted) throw error
    throw noAnswer(what)
  }
  if (!response.ok) throw await failure(what, response)
  try {
    return (await response.json()) as T
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError({
      status: response.status,
      what,
      why: 'the answer broke off',
      next: 'Retry; if it stays, look into the server’s log.',
    })
  }
}

export function noAnswer(what: string): ApiError {
  const why = 'no answer from the server at ' + self.location.host
  return new ApiError({ status: 0, what, why, next: 'Check that “clew serve” is running, then retry.' })
}

async function failure(what: string, response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => undefined)) as Partial<ErrorBody> | undefined
  const why = body?.error?.message ?? `the server answered ${response.status} ${response.statusText}`.trim()
  const at = body?.error?.at
  return new ApiError({
    status: response.status,
    what,
    why: at && !why.includes(at) ? `${why} (${at})` : why,
    next: nextStep(response.status),
  })
}

function nextStep(status: number): string {
  if (status === 400) return 'Change the filter and run again.'
  if (status === 404) return 'Check the address.'
  if (status === 429 || status === 503) return 'The server is busy; retry in a moment.'
  return 'Retry; if it stays, look into the server’s log.'
}

const range = (fromMs: number, toMs: number): URLSearchParams =>
  new URLSearchParams({ start: String(Math.floor(fromMs)), end: String(Math.ceil(toMs)) })

export function searchTraces(search: URLSearchParams, signal?: AbortSignal): Promise<TraceSearchAnswer> {
  return getJson({ what: 'search traces', path: '/traces', search, signal })
}

export function traceOverview(search: URLSearchParams, signal?: AbortSignal): Promise<TraceOverviewAnswer> {
  return getJson({ what: 'count traces', path: '/traces/overview', search, signal })
}

export function facets(search: URLSearchParams, signal?: AbortSignal): Promise<FacetsAnswer> {
  return getJson({ what: 'read facets', path: '/traces/facets', search, signal })
}

export function services(fromMs: number, toMs: number): Promise<ServicesAnswer> {
  return getJson({ what: 'list services', path: '/services', search: range(fromMs, toMs) })
}

export function operations(service: string, fromMs: number, toMs: number): Promise<OperationsAnswer> {
  const path = `/services/${encodeURIComponent(service)}/operations`
  return getJson({ what: 'list operations', path, search: range(fromMs, toMs) })
}

export function attributeKeys(fromMs: number, toMs: number): Promise<AttributeKeysAnswer> {
  return getJson({ what: 'list attributes', path: '/attributes', search: range(fromMs, toMs) })
}

export function attributeValues(key: string, fromMs: number, toMs: number): Promise<AttributeValuesAnswer> {
  return getJson({
    what: 'list attribute values',
    path: `/attributes/${encodeURIComponent(key)}/values`,
    search: range(fromMs, toMs),
  })
}

export function status(): Promise<StatusAnswer> {
  return getJson({ what: 'read the status', path: '/status' })
}
