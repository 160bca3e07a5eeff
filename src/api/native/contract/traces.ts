/** Searches over traces, and one trace. */
import { z } from 'zod'
import { counts, decimal, durationParameter, openRange, range } from './formats.ts'

/** Conditions that a single span of the trace must meet together. */
export const spanFilter = {
  service: z.string().optional().describe('service.name'),
  operation: z.string().optional().describe('span name'),
  status: z.enum(['error', 'ok', 'unset']).optional(),
  minDuration: durationParameter.optional(),
  maxDuration: durationParameter.optional(),
  attribute: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe(
      'key=value, repeatable; the key is looked for on the span, its resource, instrumentation scope, events and links; span.key=, resource.key=, event.key=, link.key= or instrumentation.key= names one of them',
    ),
}

export const traceSearchParameters = z.object({
  ...spanFilter,
  ...openRange,
  limit: z.coerce.number().int().min(1).max(1000).default(20),
  sort: z.enum(['time', 'duration', 'spans', 'errors']).default('time').describe('order of the answer, largest first'),
  cursor: z.string().optional().describe('nextCursor of the page before; only with sort=time'),
})
export type TraceSearchParameters = z.infer<typeof traceSearchParameters>

const traceSummary = z.object({
  traceId: z.string(),
  rootService: z.string().describe('empty when the root span has not arrived'),
  rootName: z.string(),
  startTime: z.string(),
  startTimeUnixNano: decimal,
  duration: z.string(),
  durationNano: decimal.describe('last end minus first start over all spans'),
  spanCount: counts,
  errorCount: counts,
  services: z.array(z.object({ name: z.string(), spanCount: counts, errorCount: counts })).describe('most spans first'),
  rootStatus: z.enum(['error', 'ok', 'unset']),
})
export type TraceSummary = z.infer<typeof traceSummary>

export const traceSearchAnswer = z.object({
  traces: z.array(traceSummary),
  total: counts.describe('traces that match in the whole range, exact'),
  nextCursor: z.string().optional(),
})
export type TraceSearchAnswer = z.infer<typeof traceSearchAnswer>

/** Same filter as the search; statistics over the matching spans' traces for the count line and the heat map. */
export const traceOverviewParameters = z.object({
  ...spanFilter,
  ...range,
  buckets: z.coerce.number().int().min(1).max(500).default(60).describe('columns in time'),
})
export const traceOverviewAnswer = z.object({
  start: z.string(),
  end: z.string(),
  total: counts.describe('matching traces'),
  errorTraces: counts.describe('of them with at least one span in error'),
  p50Nano: decimal.nullable().describe('trace duration; null when nothing matches'),
  p99Nano: decimal.nullable(),
  bucketMs: z.number(),
  rows: z
    .array(decimal)
    .describe('lower bounds of the duration rows in ns, ascending, from the lowest to the highest with traces'),
  rowsEnd: decimal.nullable().describe('upper bound of the highest row in ns; null when it has none'),
  cells: z
    .array(z.object({ column: counts, row: counts, traces: counts, errorTraces: counts }))
    .describe('only cells with traces'),
  lastMatch: z.string().nullable().describe('time of the newest match outside the range when total is 0, else null'),
})
export type TraceOverviewAnswer = z.infer<typeof traceOverviewAnswer>

/** Values to filter by, each with its number of matching spans. */
export const facetsParameters = z.object({
  ...spanFilter,
  ...range,
  limit: z.coerce.number().int().min(1).max(100).default(10).describe('values per facet'),
})
export const facetsAnswer = z.object({
  facets: z.array(
    z.object({
      key: z.string().describe('service, operation, status, or an attribute key as the parameter attribute takes it'),
      values: z.array(z.object({ value: z.string(), spans: counts, errors: counts })),
      distinct: counts.describe('number of different values, exact up to the scan'),
    }),
  ),
  spans: counts.describe('matching spans counted; at 100,000 more may match'),
  since: z
    .string()
    .nullable()
    .describe('spans before this time were not looked at, to keep the cost down; null when all were'),
})
export type FacetsAnswer = z.infer<typeof facetsAnswer>

/** OTLP JSON (`TracesData`): `{"resourceSpans":[…]}`; typed loosely because opentelemetry-proto defines its grammar. */
export const otlpTraces = z.object({ resourceSpans: z.array(z.record(z.string(), z.unknown())) })

/** The same for `LogsData`. */
export const otlpLogs = z.object({ resourceLogs: z.array(z.record(z.string(), z.unknown())) })
