/**
 * The flat conditions that the stores compile today, out of a tree of conditions: an `and` of comparisons as the native
 * search writes them. Any other tree is refused, so that no condition is ever left out.
 */
import { InputError } from '../base/errors.ts'
import type { Comparison, EventQuery, Field, Predicate, SpanQuery, TimeRange, Value } from '../model/query.ts'
import type { AttributeCondition, SpanFilter } from '../model/span-filter.ts'
import type { TraceSearch } from '../model/trace-search.ts'

/** A search for traces with flat conditions. */
export interface FlatTraceSearch extends Omit<TraceSearch, 'query'> {
  readonly filter: SpanFilter
  readonly signal?: AbortSignal
}

export interface FlatEventFilter extends TimeRange {
  /** Words that the body must contain, all of them. */
  readonly words: readonly string[]
  readonly service?: string
  readonly type?: string
  readonly severityMin?: number
  readonly traceId?: string
  readonly spanId?: string
  readonly attributes: readonly AttributeCondition[]
}

type Flat = { -readonly [Key in keyof SpanFilter]: SpanFilter[Key] } & { attributes: AttributeCondition[] }
type FlatEvent = { -readonly [Key in keyof FlatEventFilter]: FlatEventFilter[Key] } & {
  words: string[]
  attributes: AttributeCondition[]
}

/** `undefined` when the tree is not flat. */
export function flatSpanFilter({ where, startNs, endNs }: SpanQuery): SpanFilter | undefined {
  const filter: Flat = { attributes: [], startNs, endNs }
  return partsOf(where).every((part) => part.kind === 'compare' && addToSpanFilter(filter, part)) ? filter : undefined
}

/** Throws an `InputError` when the tree is not flat. */
export function requireSpanFilter(query: SpanQuery): SpanFilter {
  return flatSpanFilter(query) ?? refuse()
}

export function requireEventFilter({ where, startNs, endNs }: EventQuery): FlatEventFilter {
  const filter: FlatEvent = { words: [], attributes: [], startNs, endNs }
  return partsOf(where).every((part) => addToEventFilter(filter, part)) ? filter : refuse()
}

function refuse(): never {
  throw new InputError('bad_request', 'the store cannot search by these conditions: use conditions that all must hold')
}

function partsOf(where: Predicate): readonly Predicate[] {
  return where.kind === 'and' ? where.of.flatMap(partsOf) : [where]
}

function addToSpanFilter(filter: Flat, { left, operator, right }: Comparison): boolean {
  if (right.kind !== 'value') return false
  if (left.kind === 'attribute') return addAttribute(filter.attributes, left, operator, right)
  if (left.kind !== 'intrinsic') return false
  const { name } = left
  if (name === 'duration' && right.type === 'duration') {
    if (operator === '>=') return set(filter, 'durationMinNs', right.value)
    return operator === '<=' && set(filter, 'durationMaxNs', right.value)
  }
  if (operator !== '=') return false
  if (name === 'service') return right.type === 'string' && set(filter, 'service', right.value)
  if (name === 'name') return right.type === 'string' && set(filter, 'operation', right.value)
  return name === 'status' && right.type === 'status' && set(filter, 'status', right.value)
}

function addToEventFilter(filter: FlatEvent, part: Predicate): boolean {
  if (part.kind === 'words') return filter.words.push(...part.text.split(/\s+/).filter((word) => word !== '')) >= 0
  if (part.kind !== 'compare' || part.right.kind !== 'value') return false
  const { left, operator, right } = part
  if (left.kind === 'attribute') return addAttribute(filter.attributes, left, operator, right)
  if (left.kind !== 'intrinsic') return false
  const { name } = left
  if (name === 'severity') {
    return operator === '>=' && right.type === 'int' && set(filter, 'severityMin', Number(right.value))
  }
  if (operator !== '=' || right.type !== 'string') return false
  return (
    (name === 'service' || name === 'type' || name === 'traceId' || name === 'spanId') && set(filter, name, right.value)
  )
}

function addAttribute(to: AttributeCondition[], field: Field, operator: string, value: Value): boolean {
  if (field.kind !== 'attribute' || operator !== '=' || value.type !== 'spelled') return false
  const { scope, key } = field
  if (scope !== 'any' && scope !== 'span' && scope !== 'resource') return false
  return to.push({ scope, key, value: value.value }) > 0
}

/** False when it is set already, as a flat filter holds one condition of a kind. */
function set<Target, Key extends keyof Target>(target: Target, key: Key, value: Target[Key]): boolean {
  if (target[key] !== undefined) return false
  target[key] = value
  return true
}
