/**
 * A predicate as a function of one span or event: the rules of model/query.ts in plain code. It evaluates spans that
 * are only in memory, and tests compare every store's compiler with it.
 */
import type { AttributeValue } from '../attributes.ts'
import { checkLimits } from '../query-limits.ts'
import { fieldComparison, pathsOf, type Comparison, type Field, type Intrinsic, type Predicate } from '../query.ts'
import { operandTest } from './arithmetic.ts'
import { elementTest, type Held } from './held-value.ts'

export type Place = 'span' | 'resource' | 'event' | 'link' | 'instrumentation'

/** What the evaluator reads of a span or an event. */
export interface View {
  /** The values of an intrinsic; none when it is missing or only the other kind (span or event) has it. */
  intrinsic(name: Intrinsic['name']): readonly Held[]
  /** The values of an attribute in one place, by its own key; those of all events or links when there are several. */
  attribute(place: Place, key: string): readonly AttributeValue[]
  /** Whether some text contains another, as `word` in model/query.ts says. */
  hasWord(text: string): boolean
  /** The scope of the span's or event's own attributes. */
  readonly own: 'span' | 'event'
  /** The body of an event when it is not plain text. */
  readonly body?: AttributeValue | undefined
}

export type Test = (view: View) => boolean

/** Throws `InputError` for a predicate that is too large or has a wrong pattern. */
export function compileTest(predicate: Predicate): Test {
  checkLimits(predicate)
  return testOf(predicate)
}

function testOf(predicate: Predicate): Test {
  switch (predicate.kind) {
    case 'and': {
      const tests = predicate.of.map(testOf)
      return (view) => tests.every((test) => test(view))
    }
    case 'or': {
      const tests = predicate.of.map(testOf)
      return (view) => tests.some((test) => test(view))
    }
    case 'not': {
      const test = testOf(predicate.of)
      return (view) => !test(view)
    }
    case 'exists': {
      const values = valuesOf(predicate.field)
      return (view) => values(view).length > 0
    }
    case 'word':
      return (view) => view.hasWord(predicate.text)
    case 'compare':
      return comparisonTest(predicate)
  }
}

function comparisonTest(comparison: Comparison): Test {
  const plain = fieldComparison(comparison)
  if (plain === undefined) return operandTest(comparison, valuesOf)
  const { operator, value } = plain
  const values = valuesOf(plain.field)
  if (value.type === 'nil') {
    if (operator === '=') return (view) => values(view).length === 0
    return operator === '!=' ? (view) => values(view).length > 0 : () => false
  }
  if (operator === '!=' || operator === '!~') {
    const meets = heldTest(elementTest(operator === '!=' ? '=' : '=~', value), value.type === 'spelled')
    return (view) => {
      const held = values(view)
      return held.length > 0 && !held.some(meets)
    }
  }
  const meets = heldTest(elementTest(operator, value), value.type === 'spelled')
  return (view) => values(view).some(meets)
}

/** Looks at the elements of an array, and at the array itself only when the wanted value is spelled. */
function heldTest(meets: (held: Held) => boolean, alsoWhole: boolean): (held: Held) => boolean {
  return (held) => (held.type === 'array' ? (alsoWhole && meets(held)) || held.value.some(meets) : meets(held))
}

/** A function that returns all values a field holds. */
export function valuesOf(field: Field): (view: View) => readonly Held[] {
  if (field.kind === 'intrinsic') return (view) => view.intrinsic(field.name)
  const at = placeValues(field.key)
  const { scope } = field
  if (scope === 'nearest') {
    return (view) => {
      const own = at(view, view.own)
      return own.length > 0 ? own : at(view, 'resource')
    }
  }
  if (scope !== 'any') return (view) => at(view, scope)
  return (view) => places.flatMap((place) => at(view, place))
}

const places: readonly Place[] = ['span', 'resource', 'instrumentation', 'event', 'link']

function placeValues(key: string): (view: View, place: Place) => AttributeValue[] {
  const paths = pathsOf(key)
  return (view, place) => {
    const found = key === '' ? [] : [...view.attribute(place, key)]
    for (const [first, ...rest] of paths) {
      if (first === '') continue
      for (const value of view.attribute(place, first!)) found.push(...inside(value, rest))
    }
    if (place === view.own && view.body !== undefined) {
      found.push(...inside(view.body, [key]))
      for (const path of paths) found.push(...inside(view.body, path))
    }
    return found.filter(({ type }) => type !== 'empty')
  }
}

/** The value at a path of keys inside maps, or none. */
function inside(value: AttributeValue, path: readonly string[]): AttributeValue[] {
  let at: AttributeValue | undefined = value
  for (const key of path) {
    at = at?.type === 'map' ? at.value.find((entry) => entry.key === key)?.value : undefined
  }
  return at === undefined ? [] : [at]
}
