/** Turns request parameters into the input of readers; every fault is an `InputError` that names the parameter. */
import { InputError } from '../../base/errors.ts'
import { parseDuration } from '../../base/duration.ts'
import { parseTime } from '../../base/time.ts'
import { parsePastedSpanId, parsePastedTraceId } from '../../base/pasted-id.ts'
import { statusCodes } from '../../model/span-batch.ts'
import {
  and,
  compare,
  duration,
  int,
  intrinsic,
  status,
  text,
  word,
  type EventQuery,
  type Predicate,
  type SpanQuery,
  type TimeRange,
} from '../../model/query.ts'
import { parseAttribute } from '../../model/short-form.ts'
import type { EventsParameters } from './contract/events.ts'

export interface SpanFilterParameters {
  readonly service?: string | undefined
  readonly operation?: string | undefined
  readonly status?: 'error' | 'ok' | 'unset' | undefined
  readonly minDuration?: string | undefined
  readonly maxDuration?: string | undefined
  readonly attribute?: string | readonly string[] | undefined
  readonly start?: string | undefined
  readonly end?: string | undefined
}

/** Every given condition must hold on the same span. */
export function spanQueryOf(parameters: SpanFilterParameters): SpanQuery {
  const { service, operation, status: outcome } = parameters
  const minNs = durationOf(parameters.minDuration, 'minDuration')
  const maxNs = durationOf(parameters.maxDuration, 'maxDuration')
  const conditions = [
    ...(service === undefined ? [] : [compare(intrinsic('service'), '=', text(service))]),
    ...(operation === undefined ? [] : [compare(intrinsic('name'), '=', text(operation))]),
    ...(outcome === undefined ? [] : [compare(intrinsic('status'), '=', status(statusCodes.indexOf(outcome)))]),
    ...(minNs === undefined ? [] : [compare(intrinsic('duration'), '>=', duration(minNs))]),
    ...(maxNs === undefined ? [] : [compare(intrinsic('duration'), '<=', duration(maxNs))]),
    attributesOf(parameters.attribute),
  ]
  return { where: and(...conditions), ...rangeOf(parameters) }
}

/** Lowest OTLP severity number of each name (logs data model, "Severity Fields"). */
const severityFloors = { trace: 1n, debug: 5n, info: 9n, warn: 13n, error: 17n, fatal: 21n } as const

export function eventQueryOf(parameters: EventsParameters): EventQuery {
  const { query, service, type, severity, traceId, spanId } = parameters
  const conditions = [
    ...(query ?? '')
      .split(/\s+/)
      .filter((one) => one !== '')
      .map(word),
    ...(service === undefined ? [] : [compare(intrinsic('service'), '=', text(service))]),
    ...(type === undefined ? [] : [compare(intrinsic('type'), '=', text(type))]),
    ...(severity === undefined ? [] : [compare(intrinsic('severity'), '>=', int(severityFloors[severity]))]),
    ...(traceId === undefined ? [] : [compare(intrinsic('traceId'), '=', text(traceIdOf(traceId)))]),
    ...(spanId === undefined ? [] : [compare(intrinsic('spanId'), '=', text(spanIdOf(spanId)))]),
    attributesOf(parameters.attribute, 'event'),
  ]
  return { where: and(...conditions), ...rangeOf(parameters) }
}

/** The requested range; ends that are not given stay open. */
export function rangeOf(parameters: {
  readonly start?: string | undefined
  readonly end?: string | undefined
}): TimeRange {
  const startNs = timeOf(parameters.start, 'start')
  const endNs = timeOf(parameters.end, 'end')
  if (startNs !== undefined && endNs !== undefined && startNs >= endNs) {
    throw new InputError('bad_request', `start ${parameters.start} is not before end ${parameters.end}`, {
      at: 'start',
    })
  }
  return { startNs, endNs }
}

const hourNs = 3_600_000_000_000n

/** The range with the defaults of statistics: the last hour. */
export function closedRangeOf(
  parameters: { readonly start?: string | undefined; readonly end?: string | undefined },
  nowNs: bigint,
): { readonly startNs: bigint; readonly endNs: bigint } {
  const range = rangeOf(parameters)
  const endNs = range.endNs ?? (range.startNs !== undefined && range.startNs >= nowNs ? range.startNs + hourNs : nowNs)
  return { startNs: range.startNs ?? endNs - hourNs, endNs }
}

function timeOf(given: string | undefined, at: string): bigint | undefined {
  if (given === undefined || given === '') return undefined
  const time = parseTime(given)
  if (time === undefined) {
    throw new InputError('bad_request', `${at} "${given}" is not a time: use RFC 3339 or Unix milliseconds`, { at })
  }
  return time
}

function durationOf(given: string | undefined, at: string): bigint | undefined {
  if (given === undefined || given === '') return undefined
  const parsed = parseDuration(given)
  if (parsed === undefined) {
    throw new InputError('bad_request', `${at} "${given}" is not a duration: use one such as 500ms, 1.5s or 2m`, { at })
  }
  return parsed
}

/** The conditions of all given attributes, each in the short form (model/short-form.ts), joined by "and". */
function attributesOf(given: string | readonly string[] | undefined, own: 'span' | 'event' = 'span'): Predicate {
  const texts = given === undefined ? [] : typeof given === 'string' ? [given] : given
  return and(
    ...texts.map((one) => {
      const predicate = parseAttribute(one, own)
      if (predicate !== undefined) return predicate
      throw new InputError('bad_request', `attribute "${one}" is not of the form key=value`, { at: 'attribute' })
    }),
  )
}

export function traceIdOf(text: string): string {
  const id = parsePastedTraceId(text)
  if (id === undefined) {
    throw new InputError('bad_request', `"${text}" is not a trace id: use up to 32 hex digits, not all zero`, {
      at: 'traceId',
    })
  }
  return id
}

function spanIdOf(text: string): string {
  const id = parsePastedSpanId(text)
  if (id === undefined) {
    throw new InputError('bad_request', `"${text}" is not a span id: use up to 16 hex digits, not all zero`, {
      at: 'spanId',
    })
  }
  return id
}
