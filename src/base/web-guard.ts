/**
 * Keeps foreign web pages out of an HTTP port. A page open in somebody's browser can reach a port on loopback in two ways:
 * - It sends a request to `http://localhost:4318` itself. The browser then adds `Origin`, or `Sec-Fetch-Site: cross-site`.
 * - Its own name resolves to 127.0.0.1 (DNS rebinding). To the browser both are one origin, so `Origin` proves nothing, but
 *   `Host` still holds the page's name. A name that only its owner can make resolve is therefore refused.
 * Clients that are not browsers send neither `Origin` nor `Sec-Fetch-Site`, and name the host they were told to.
 *
 * Sources: Fetch standard §3.1 "Origin header"; Fetch Metadata Request Headers §2; RFC 9110 §7.2 "Host".
 */
import { hostname } from 'node:os'
import { isIP } from 'node:net'
import { InputError } from './errors.ts'

export interface WebGuardOptions {
  /** What the listener binds to. */
  readonly host: string
  /** Further names to accept: `.example.com` stands for the name and all below it, `*` for any name. */
  readonly allowedHosts: readonly string[]
  /** Origins such as `https://shop.example` whose pages may send requests; `*` for any. */
  readonly allowedOrigins: readonly string[]
}

/** The headers that matter, by lower-case name. */
export type WebHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Throws `InputError` `forbidden` for a request that a foreign page may have sent. */
export type WebGuard = (headers: WebHeaders) => void

export function webGuard(options: WebGuardOptions): WebGuard {
  const isAllowedHost = hostRule(options)
  const origins = new Set(options.allowedOrigins.map((origin) => origin.toLowerCase()))
  const anyOrigin = origins.has('*')
  return (headers) => {
    const host = textOf(headers['host'])?.toLowerCase()
    if (host !== undefined && host !== '' && !isAllowedHost(nameOf(host))) throw foreignHost(host)
    const origin = textOf(headers['origin'])?.toLowerCase()
    if (origin === undefined) return refuseCrossSite(headers)
    if (anyOrigin || origins.has(origin) || (host !== undefined && isOriginOf(origin, host))) return
    throw foreignOrigin(origin)
  }
}

/** Which names a Host header may hold, without port and brackets. */
function hostRule({ host, allowedHosts }: WebGuardOptions): (name: string) => boolean {
  const listed = allowedHosts.map((name) => name.toLowerCase())
  const isListed = (name: string): boolean =>
    listed.some(
      (rule) =>
        rule === '*' || rule === name || (rule.startsWith('.') && (name.endsWith(rule) || name === rule.slice(1))),
    )
  const known = (name: string): boolean => isLoopback(name) || isPrivateName(name) || isListed(name)
  if (isLoopback(host)) return (name) => (isIP(name) === 0 ? known(name) : isLoopback(name) || isListed(name))
  const own = new Set([host.toLowerCase(), hostname().toLowerCase()])
  return (name) => isIP(name) !== 0 || own.has(name) || known(name)
}

/** Whether only this machine can reach a port that is bound to this host or a URL that names it. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase()
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}

/**
 * Names that nobody can register in public DNS, so no foreign page has one: a single label such as a container's, and the
 * suffixes set aside for private networks (RFC 6762, RFC 8375, ICANN's `.internal`) and for Kubernetes' services.
 */
function isPrivateName(name: string): boolean {
  return !name.includes('.') || /\.(local|internal|home\.arpa|svc)$/.test(name)
}

/** `localhost:7070` -> `localhost`, `[::1]:7070` -> `::1`. */
function nameOf(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host)
  return bracketed?.[1] ?? host.replace(/:\d*$/, '').replace(/\.$/, '')
}

/** A page of this very port. The scheme may differ, because a proxy in front may speak TLS. */
function isOriginOf(origin: string, host: string): boolean {
  const match = /^(https?):\/\/(.+)$/.exec(origin)
  if (match === null) return false
  const port = match[1] === 'https' ? ':443' : ':80'
  return match[2] === host || match[2] + port === host || match[2] === host + port
}

/** Images, scripts and forms of foreign pages carry no `Origin`. Following a link to clew stays allowed. */
function refuseCrossSite(headers: WebHeaders): void {
  if (textOf(headers['sec-fetch-site']) !== 'cross-site' || textOf(headers['sec-fetch-mode']) === 'navigate') return
  throw new InputError('forbidden', 'a web page of another site may not send requests here', { at: 'Sec-Fetch-Site' })
}

function foreignHost(host: string): InputError {
  const message = `host "${shown(host)}" is not a name of this server: use its address, or add the name to allowed_hosts (--allowed-hosts)`
  return new InputError('forbidden', message, { at: 'Host' })
}

function foreignOrigin(origin: string): InputError {
  const message = `web pages of "${shown(origin)}" may not send requests here: add the origin to cors.origins (--cors-origins) if they should`
  return new InputError('forbidden', message, { at: 'Origin' })
}

function shown(text: string): string {
  return text.slice(0, 200)
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
