/**
 * Attributes as a person types them: `key=value`. Everything on the screen can be found by the text that is shown
 * there.
 *   user.id=u1                    the attribute, on the span or anything that belongs to it
 *   span.user.id=u1               only on the span; also the attribute that is called `span.user.id`
 *   a=b=c                         `a` with the value `b=c`, and `a=b` with the value `c`
 *   "a=b"=c                       only the latter: in quotes the key is as it is (\" and \\ are a quote and a backslash)
 *   error=true, error=false       also spans by their status, as other tools show it
 */
import { attribute, compare, intrinsic, not, or, spelled, status, type Predicate, type Scope } from './query.ts'

/** The maximum number of splits of one text that are tried; a key with more `=` in it needs quotes. */
const splitsMax = 8

/** `undefined` when the text is not of the form key=value. Where events are searched, `span.` means the event's own attributes. */
export function parseAttribute(text: string, own: 'span' | 'event' = 'span'): Predicate | undefined {
  const quoted = /^"((?:[^"\\]|\\["\\])*)"=(.*)$/s.exec(text)
  if (quoted !== null) return held('any', quoted[1]!.replace(/\\(["\\])/g, '$1'), quoted[2]!)
  const splits: Predicate[] = []
  for (let cut = text.indexOf('=', 1); cut > 0 && splits.length < splitsMax; cut = text.indexOf('=', cut + 1)) {
    splits.push(keyMeets(text.slice(0, cut), text.slice(cut + 1), own))
  }
  return splits.length === 0 ? undefined : or(...splits)
}

function keyMeets(key: string, value: string, own: 'span' | 'event'): Predicate {
  if (key === 'error' && (value === 'true' || value === 'false')) return errorIs(value)
  const scoped = /^(span|resource|event|link|instrumentation)\.(.+)$/s.exec(key)
  if (scoped === null) return held('any', key, value)
  const scope = scoped[1] === 'span' ? own : (scoped[1] as Scope)
  return or(held(scope, scoped[2]!, value), held('any', key, value))
}

function errorIs(value: 'true' | 'false'): Predicate {
  const hasFailed = compare(intrinsic('status'), '=', status(2))
  const isError = or(hasFailed, held('any', 'error', 'true'))
  return value === 'true' ? isError : not(isError)
}

function held(scope: Scope, key: string, value: string): Predicate {
  return compare(attribute(scope, key), '=', spelled(value))
}
