/** Parsed request parameters -> what readers take; everything wrong is an `InputError` that names the parameter. */
import { InputError } from '../../base/errors.ts'
import { parseDuration } from '../../base/duration.ts'
import { parseTime } from '../../base/time.ts'
import { parseTraceId, parseSpanId } from '../../model/ids.ts'
import { statusCodes } from '../../model/span-batch.ts'
import { and, type Predicate } from '../../model/query.ts'
import { parseAttribute } from '../../model/short-form.ts'
import type { SpanFilter } from '../../model/span-filter.ts'

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

export function spanFilterOf(parameters: SpanFilterParameters): SpanFilter {
  const { service, operation, status } = parameters
  return {
    service,
    operation,
    status: status === undefined ? undefined : statusCodes.indexOf(status),
    durationMinNs: durationOf(parameters.minDuration, 'minDuration'),
    durationMaxNs: durationOf(parameters.maxDuration, 'maxDuration'),
    attributes: [],
    where: attributesOf(parameters.attribute),
    ...rangeOf(parameters),
  }
}

export interface TimeRange {
  readonly startNs?: bigint
  readonly endNs?: bigint
}

/** The range as asked for; ends that are not given stay open. */
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

/** The range with the defaults of figures: one hour up to now. */
export function closedRangeOf(
  parameters: { readonly start?: string | undefined; readonly end?: string | undefined },
  nowNs: bigint,
): { readonly startNs: bigint; readonly endNs: bigint } {
  const range = rangeOf(parameters)
  const endNs = range.endNs ?? (range.startNs !== undefined && range.startNs >= nowNs ? range.startNs + hourNs : nowNs)
  return { startNs: range.startNs ?? endNs - hourNs, endNs }
}

function timeOf(text: string | undefined, at: string): bigint | undefined {
  if (text === undefined || text === '') return undefined
  const time = parseTime(text)
  if (time === undefined) {
    throw new InputError('bad_request', `${at} "${text}" is not a time: use RFC 3339 or Unix milliseconds`, { at })
  }
  return time
}

function durationOf(text: string | undefined, at: string): bigint | undefined {
  if (text === undefined || text === '') return undefined
  const duration = parseDuration(text)
  if (duration === undefined) {
    throw new InputError('bad_request', `${at} "${text}" is not a duration: use one such as 500ms, 1.5s or 2m`, { at })
  }
  return duration
}

/** What attributes, each of the short form (model/short-form.ts), ask for together. */
export function attributesOf(given: string | readonly string[] | undefined, own: 'span' | 'event' = 'span'): Predicate {
  const texts = given === undefined ? [] : typeof given === 'string' ? [given] : given
  return and(
    ...texts.map((text) => {
      const predicate = parseAttribute(text, own)
      if (predicate !== undefined) return predicate
      throw new InputError('bad_request', `attribute "${text}" is not of the form key=value`, { at: 'attribute' })
    }),
  )
}

export function traceIdOf(text: string): string {
  const id = parseTraceId(text)
  if (id === undefined) {
    throw new InputError('bad_request', `"${text}" is not a trace id: use 32 hex digits, not all zero`, {
      at: 'traceId',
    })
  }
  return id
}

export function spanIdOf(text: string): string {
  const id = parseSpanId(text)
  if (id === undefined) {
    throw new InputError('bad_request', `"${text}" is not a span id: use 16 hex digits, not all zero`, { at: 'spanId' })
  }
  return id
}
