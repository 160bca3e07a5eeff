/** Filters that `traces`, `export` and `events` share, with the same names and meanings as in the API. */
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { parseDuration } from '../base/duration.ts'
import { parseTime, printTime } from '../base/time.ts'

export interface TimeRange {
  readonly since?: string
  readonly start?: string
  readonly end?: string
}

export interface SpanFilter extends TimeRange {
  readonly service?: string
  readonly operation?: string
  readonly status?: 'error' | 'ok' | 'unset'
  readonly minDuration?: string
  readonly maxDuration?: string
  readonly attribute?: string[]
}

export function addTimeOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--since <duration>', 'from this long ago, such as 15m, 1h, 2d')
        .argParser(readSince)
        .conflicts('start'),
    )
    .option('--start <time>', 'from this time on: RFC 3339, Unix milliseconds, or -1h', readTime)
    .option('--end <time>', 'before this time', readTime)
}

export function addSpanFilterOptions(command: Command): Command {
  return addTimeOptions(
    command
      .option('--service <name>', 'traces with a span of this service')
      .option('--operation <name>', 'span name')
      .addOption(new Option('--status <status>', 'status of the span').choices(['error', 'ok', 'unset']))
      .option('--min-duration <duration>', 'spans that took at least this, such as 500ms', readDuration)
      .option('--max-duration <duration>', 'spans that took at most this', readDuration)
      .option('--attribute <key=value>', 'attribute of the span or its resource; may be repeated', collectAttribute),
  )
}

/** Query parameters of a filter; `--since` has become `start`. */
export function queryOfFilter(filter: SpanFilter): Record<string, string | string[] | undefined> {
  const { service, operation, status, minDuration, maxDuration, attribute } = filter
  return { service, operation, status, minDuration, maxDuration, attribute, ...queryOfRange(filter) }
}

export function queryOfRange({ since, start, end }: TimeRange): Record<string, string | undefined> {
  return { start: since ?? start, end }
}

/** The text printed instead of an empty table. */
export function noneLine(what: string, { since, start, end }: TimeRange): string {
  const isOpen = since === undefined && start === undefined && end === undefined
  return isOpen
    ? `no ${what} is stored yet\n`
    : `no ${what} in this range; without --since and the like it is all stored\n`
}

/** Reads `--limit` and similar options: a whole number of at least one. */
export function readCount(text: string): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1)
    throw new InvalidArgumentError('Expected a whole number of at least 1.')
  return Number(text)
}

/** Relative times on the command line are resolved once, so that all pages of a result have the same range. */
function readTime(text: string): string {
  const nanos = parseTime(text)
  if (nanos === undefined) {
    throw new InvalidArgumentError('Expected a time such as 2026-11-23T06:25:04Z, Unix milliseconds, or -1h.')
  }
  return printTime(nanos)
}

function readSince(text: string): string {
  if (parseDuration(text) === undefined) throw new InvalidArgumentError('Expected a duration such as 15m, 1h or 2d.')
  return readTime(`-${text}`)
}

function readDuration(text: string): string {
  if (parseDuration(text) === undefined)
    throw new InvalidArgumentError('Expected a duration such as 500ms, 1.5s or 2m.')
  return text
}

export function collectAttribute(text: string, before: string[] = []): string[] {
  if (!/^[^=]+=/.test(text))
    throw new InvalidArgumentError('Expected key=value, such as http.response.status_code=500.')
  return [...before, text]
}
