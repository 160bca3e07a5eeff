/**
 * What a search asks for, as plain data: a tree of conditions that one span (or one event) must meet, and a time range.
 * A tree has the meaning below in every store. `evaluate/` implements it in plain code; compilers to SQL are tested
 * against that.
 *
 * **Places.** A condition names a field: an intrinsic (`name`, `duration`), or an attribute with a scope and a key. A field
 * holds zero, one or several values on one span. `event.x` holds the `x` of each event of the span; scope `any` holds the
 * values of the span, its resource, instrumentation scope, events and links; `nearest` holds the span's value, and the
 * resource's only when the span has none (TraceQL's `.x`).
 *
 * **Missing.** A field without a value meets no comparison, not even `!=`. `not` is plain negation, so
 * `not (x = 1)` is met where `x` is missing, and `x != 1` is not. `exists` and `= nil` ask for just that. An attribute
 * whose value is OTLP's empty AnyValue counts as missing.
 *
 * **Arrays.** A comparison looks at the elements (not at elements of elements): `=`, `<`, `=~` and so on are met when any
 * element meets them. `!=` and `!~` are met when there is a value and no element is equal or matches.
 *   ["a","b"] = "a": yes      ["a","b"] != "a": no      ["a","b"] != "c": yes      [] != "a": yes      [] = "a": no
 * The same holds when a field has several values: `event.x != 1` is met when some event has `x` and none has it as 1.
 *
 * **Maps.** A key with dots also finds values inside maps: `a.b.c` is the attribute `a.b.c`, and also `b.c` inside the map
 * `a.b` or `a`. Keys inside maps may contain dots too; see `pathsOf`. A map itself is equal to no typed value.
 * In events the map may also be the body: `http.method` finds it in the body {"http":{"method":"GET"}}.
 *
 * **Types.** Values of different types are never equal, and have no order: "5" is not 5. Numbers are one type: int,
 * float and duration (nanoseconds) compare by their exact value, so 2^53 + 1 is not 2^53 and -0 is 0. NaN equals
 * nothing and has no order. Text is ordered by its UTF-8 bytes. `=~` takes RE2 syntax, matches the whole text, and only
 * text. Booleans, status and kind have no order. Bytes are equal to no typed value.
 *
 * **Spelled values** are what a person typed, without a type. They equal the same text, and a number or boolean that
 * the text spells (`5`, `5.0` and `5e0` for 5). They equal NaN and ±Infinity by those names, and an array, map or bytes
 * as they are shown: `["a",1]`, `{"k":"v"}`, base64.
 *
 * **Odd keys.** An attribute whose key is empty is not found. A sender must not give one key twice
 * on a span; where one does, a store may look at any one of the values.
 */

export type Predicate =
  /** Met when all are; `and` of nothing is always met. */
  | { readonly kind: 'and'; readonly of: readonly Predicate[] }
  /** Met when any is; `or` of nothing is never met. */
  | { readonly kind: 'or'; readonly of: readonly Predicate[] }
  | { readonly kind: 'not'; readonly of: Predicate }
  | Comparison
  | { readonly kind: 'exists'; readonly field: Field }
  /** Some text of the event contains this text; see `word`. Never met by a span. */
  | { readonly kind: 'word'; readonly text: string }

export interface Comparison {
  readonly kind: 'compare'
  readonly left: Operand
  readonly operator: Operator
  readonly right: Operand
}

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | '=~' | '!~'

/**
 * A comparison of a field with a value, on either side, follows all the rules above. Any other comparison (`span.a <
 * span.b`, `duration > 2 * span.budget`) looks only at numbers (as doubles), text and booleans. It is met when any pair
 * of a left and a right value of the same type meets it. `!=` is met when both sides have values and no pair is equal.
 * Arithmetic gives a value for each pair of numbers. Status, kind and spelled values are ignored here.
 */
export type Operand = Field | Value | Arithmetic

export interface Arithmetic {
  readonly kind: 'arithmetic'
  readonly operator: ArithmeticOperator
  readonly left: Operand
  readonly right: Operand
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^'

export type Field = Intrinsic | AttributeField

export interface Intrinsic {
  readonly kind: 'intrinsic'
  readonly name: SpanIntrinsic | EventIntrinsic | StructureIntrinsic
}

/** Ids are lower-case hex, durations and times nanoseconds. `parentId` is missing on a root. */
export type SpanIntrinsic =
  | 'name'
  | 'duration'
  | 'startTime'
  | 'status'
  | 'statusMessage'
  | 'kind'
  | 'service'
  | 'traceId'
  | 'spanId'
  | 'parentId'
  | 'rootName'
  | 'rootService'
  | 'traceDuration'
  | 'eventName'
  | 'eventTimeSinceStart'
  | 'linkTraceId'
  | 'linkSpanId'
  | 'instrumentationName'
  | 'instrumentationVersion'

/**
 * The place of a span in the tree of its trace: the number of its children, and its numbers in a walk that counts from
 * 1 each time it enters or leaves a span. `nestedSetParent` is the left number of the span above, 0 where that one is
 * missing, and -1 for a root. They need the whole trace: stores find no value, so the caller must evaluate whole
 * traces.
 */
export type StructureIntrinsic = 'childCount' | 'nestedSetLeft' | 'nestedSetRight' | 'nestedSetParent'

/** `severity` is the OTLP number 1 to 24, derived from the text when the sender gave no number; 0 is missing. */
export type EventIntrinsic =
  | 'body'
  | 'severity'
  | 'severityText'
  | 'type'
  | 'protocol'
  | 'service'
  | 'traceId'
  | 'spanId'
  | 'time'
  | 'instrumentationName'
  | 'instrumentationVersion'

export interface AttributeField {
  readonly kind: 'attribute'
  readonly scope: Scope
  readonly key: string
}

/**
 * For an event, `event` means its own attributes. `any` means these and those of the body, the resource and the
 * instrumentation.
 */
export type Scope = 'any' | 'nearest' | 'span' | 'resource' | 'event' | 'link' | 'instrumentation'

export type Value =
  | { readonly kind: 'value'; readonly type: 'string'; readonly value: string }
  /** 64 bits, signed. */
  | { readonly kind: 'value'; readonly type: 'int'; readonly value: bigint }
  | { readonly kind: 'value'; readonly type: 'float'; readonly value: number }
  | { readonly kind: 'value'; readonly type: 'bool'; readonly value: boolean }
  /** Nanoseconds. */
  | { readonly kind: 'value'; readonly type: 'duration'; readonly value: bigint }
  /** OTLP status code: 0 unset, 1 ok, 2 error. */
  | { readonly kind: 'value'; readonly type: 'status'; readonly value: number }
  /** OTLP span kind: 0 unspecified to 5 consumer. */
  | { readonly kind: 'value'; readonly type: 'kind'; readonly value: number }
  /** Only with `=` (does not exist) and `!=` (exists). */
  | { readonly kind: 'value'; readonly type: 'nil' }
  /** Only with `=` and `!=`. */
  | { readonly kind: 'value'; readonly type: 'spelled'; readonly value: string }

/** A value whose type is known. */
export type TypedValue = Exclude<Value, { readonly type: 'spelled' }>

/** [startNs, endNs), nanoseconds since the epoch; a side that is not given is open. */
export interface TimeRange {
  readonly startNs?: bigint
  readonly endNs?: bigint
}

/** Spans that meet the predicate and start within the range. */
export interface SpanQuery extends TimeRange {
  readonly where: Predicate
}

/** Events that meet the predicate and happened within the range. */
export interface EventQuery extends TimeRange {
  readonly where: Predicate
}

export const everything: Predicate = { kind: 'and', of: [] }
export const nothing: Predicate = { kind: 'or', of: [] }

/** Nested `and`s become one `and`, and an `and` of one condition is that condition. */
export function and(...of: readonly Predicate[]): Predicate {
  const flat = of.flatMap((one) => (one.kind === 'and' ? one.of : [one]))
  return flat.length === 1 ? flat[0]! : { kind: 'and', of: flat }
}

export function or(...of: readonly Predicate[]): Predicate {
  const flat = of.flatMap((one) => (one.kind === 'or' ? one.of : [one]))
  return flat.length === 1 ? flat[0]! : { kind: 'or', of: flat }
}

export function not(of: Predicate): Predicate {
  return { kind: 'not', of }
}

export function compare(left: Operand, operator: Operator, right: Operand): Comparison {
  return { kind: 'compare', left, operator, right }
}

export function exists(field: Field): Predicate {
  return { kind: 'exists', field }
}

/**
 * Met when the event's body or one of its attributes with text contains the text, whatever the case of its letters. A
 * text of only ASCII letters and digits must be a whole word there: `car` is found in `my_car`, but not in `Card`.
 */
export function word(text: string): Predicate {
  return { kind: 'word', text }
}

export function intrinsic(name: Intrinsic['name']): Intrinsic {
  return { kind: 'intrinsic', name }
}

export function attribute(scope: Scope, key: string): AttributeField {
  return { kind: 'attribute', scope, key }
}

export const nil: TypedValue = { kind: 'value', type: 'nil' }

export function text(value: string): TypedValue {
  return { kind: 'value', type: 'string', value }
}

export function int(value: bigint): TypedValue {
  return { kind: 'value', type: 'int', value }
}

export function float(value: number): TypedValue {
  return { kind: 'value', type: 'float', value }
}

export function bool(value: boolean): TypedValue {
  return { kind: 'value', type: 'bool', value }
}

export function duration(value: bigint): TypedValue {
  return { kind: 'value', type: 'duration', value }
}

export function status(value: number): TypedValue {
  return { kind: 'value', type: 'status', value }
}

export function kind(value: number): TypedValue {
  return { kind: 'value', type: 'kind', value }
}

export function spelled(value: string): Value {
  return { kind: 'value', type: 'spelled', value }
}

/** On doubles. */
export const arithmetic: Readonly<Record<ArithmeticOperator, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': (a, b) => a ** b,
}

export function isField(operand: Operand): operand is Field {
  return operand.kind === 'intrinsic' || operand.kind === 'attribute'
}

/** The comparison with its field on the left, when it compares a field with a value. */
export function fieldComparison(
  comparison: Comparison,
): { readonly field: Field; readonly operator: Operator; readonly value: Value } | undefined {
  const { left, operator, right } = comparison
  if (isField(left) && right.kind === 'value') return { field: left, operator, value: right }
  const turned = left.kind === 'value' && isField(right) ? turnedOperators[operator] : undefined
  return turned === undefined ? undefined : { field: right as Field, operator: turned, value: left as Value }
}

/** A pattern is always on the right. */
const turnedOperators: Readonly<Record<Operator, Operator | undefined>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
  '=~': undefined,
  '!~': undefined,
}

/** A key of up to this many segments is cut in every way; a longer key only at its first dots. */
const segmentsMax = 4

/**
 * Where a dotted key may find a value inside a map: the attribute's own key, then keys of maps. `a.b.c` gives
 * [a, b.c], [a, b, c] and [a.b, c]. A key of more than four segments is cut at its first three dots only.
 */
export function pathsOf(key: string): string[][] {
  const parts = key.split('.')
  if (parts.length > segmentsMax) parts.push(parts.splice(segmentsMax - 1).join('.'))
  const cuts = parts.length - 1
  const paths: string[][] = []
  for (let cut = 1; cut < 1 << cuts; cut++) {
    const path = [parts[0]!]
    for (let i = 0; i < cuts; i++) {
      if ((cut & (1 << i)) === 0) path[path.length - 1] += '.' + parts[i + 1]!
      else path.push(parts[i + 1]!)
    }
    paths.push(path)
  }
  return paths
}
