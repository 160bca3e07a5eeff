/** Sends requests to a running clew. Of the server it uses only the contract's types, which check paths and answers. */
import type { z } from 'zod'
import type { ErrorBody, routes } from '../api/native/contract.ts'
import { InputError, messageOf, UnavailableError } from '../base/errors.ts'

type Route = (typeof routes)[number]
export type Path = Route['path']
export type AnswerOf<P extends Path> = z.output<Extract<Route, { path: P }>['answer']>

export interface Query {
  readonly [name: string]: string | number | readonly string[] | undefined
}

export interface ApiRequest<P extends Path> {
  readonly path: P
  /** Values for the `:name` parts of the path. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly query?: Query
}

/** The server bounds queries by its own timeout and then answers. This timeout is for a server that does not answer. */
const answerTimeoutMs = 10 * 60_000

/**
 * Returns the answer's text as the server sent it. Throws `InputError` when the server rejects the request
 * (bad_request, not_found, …), and `UnavailableError` when the server cannot be reached or fails.
 */
export async function askText<P extends Path>(server: string, request: ApiRequest<P>): Promise<string> {
  const url = urlOf(server, request)
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      signal: AbortSignal.timeout(answerTimeoutMs),
      headers: { accept: 'application/json' },
    })
    text = await response.text()
  } catch (error) {
    throw unreachable(server, error)
  }
  if (response.ok) return text
  throw refusalOf(server, response, text)
}

/**
 * Yields the pieces of a long answer as they arrive, at the pace of the caller. Throws as `askText` does, also when the
 * answer breaks off. When the signal is aborted, it throws the signal's reason.
 */
export async function* askPieces<P extends Path>(
  server: string,
  request: ApiRequest<P>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    // Not compressed: the server is usually on this machine, or the output file is compressed here.
    const response = await fetch(urlOf(server, request), { signal, headers: { 'accept-encoding': 'identity' } })
    if (!response.ok) throw refusalOf(server, response, await response.text())
    if (response.body !== null) yield* response.body
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof InputError || error instanceof UnavailableError) throw error
    throw unreachable(server, error)
  }
}

function refusalOf(server: string, response: Response, text: string): InputError | UnavailableError {
  const { code, message } = errorOf(text) ?? { code: '', message: `${response.status} ${response.statusText}` }
  if (response.status === 404 && errorOf(text) === undefined) {
    return new UnavailableError(
      'io_failed',
      `cannot ask ${server}: no clew API there (404); name its address with --url`,
    )
  }
  if (response.status >= 500 || response.status === 429) return new UnavailableError('store_unavailable', message)
  return new InputError(response.status === 404 ? 'not_found' : 'bad_request', message, { at: code })
}

export async function ask<P extends Path>(server: string, request: ApiRequest<P>): Promise<AnswerOf<P>> {
  const text = await askText(server, request)
  try {
    return JSON.parse(text) as AnswerOf<P>
  } catch (error) {
    throw new UnavailableError(
      'io_failed',
      `cannot read the answer of ${server}: it is no JSON; is that address clew's?`,
      {
        cause: error,
      },
    )
  }
}

function urlOf<P extends Path>(server: string, { path, parameters = {}, query = {} }: ApiRequest<P>): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(parameters[name] ?? ''))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) if (each !== undefined) search.append(name, String(each))
  }
  const text = search.toString()
  return `${server}/api/v1${filled}${text === '' ? '' : '?' + text}`
}

function errorOf(text: string): ErrorBody['error'] | undefined {
  try {
    const { error } = JSON.parse(text) as Partial<ErrorBody>
    return typeof error?.message === 'string' ? error : undefined
  } catch {
    return undefined
  }
}

/** "cannot reach clew at …": the reason, which fetch hides in `cause`. */
export function unreachable(server: string, error: unknown, flag = '--url'): UnavailableError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = (cause as NodeJS.ErrnoException).code
  const reason = code === 'ECONNREFUSED' ? 'connection refused' : messageOf(cause) || code
  const hint = code === 'ECONNREFUSED' ? `; start it with \`clew serve\`, or name its address with ${flag}` : ''
  return new UnavailableError('io_failed', `cannot reach clew at ${server}: ${reason}${hint}`, { cause: error })
}
