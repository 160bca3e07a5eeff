/**
 * The address bar as a signal. Every page is a function of it. The result list does not fit in a URL, so it is in the
 * history state.
 */
import { signal } from '@preact/signals'

/** The results from which a trace was opened, for "next result" and for the way back. */
export interface ResultList {
  readonly url: string
  readonly traceIds: readonly string[]
  readonly total: number
}

export interface Place {
  readonly path: string
  readonly search: string
  readonly results: ResultList | undefined
}

function read(): Place {
  const state = history.state as { results?: ResultList } | null
  return { path: location.pathname, search: location.search, results: state?.results }
}

export const place = signal<Place>(read())

export function startLocation(): void {
  history.scrollRestoration = 'manual'
  addEventListener('popstate', () => {
    place.value = read()
  })
}

export interface GoOptions {
  /** Zoom, selection and typing replace the history entry; deliberate steps push one. */
  readonly replace?: boolean
  /** Taken from the current entry when absent. */
  readonly results?: ResultList | undefined
}

export function go(url: string, options: GoOptions = {}): void {
  if (url === location.pathname + location.search && options.results === undefined) return
  const state = { results: 'results' in options ? options.results : place.value.results }
  if (options.replace) history.replaceState(state, '', url)
  else history.pushState(state, '', url)
  place.value = read()
}

/** Plain clicks stay in the page; with a modifier key the browser opens its tab. */
export function followLink(event: MouseEvent, url: string, options: GoOptions = {}): void {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
    return
  event.preventDefault()
  go(url, options)
}

/** Values keep `=`, `:` and `,` unescaped in URLs, where they are legal and easier to read. */
export function printUrl(path: string, search: URLSearchParams): string {
  const text = search
    .toString()
    .replaceAll('%3D', '=')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%2F', '/')
  return text === '' ? path : `${path}?${text}`
}
