/**
 * The native API: every route, its parameters and its answer, in one place. The server validates with these schemas,
 * the CLI and the web UI take their types from here, and `GET /api/v1/openapi.json` is printed from them.
 *
 * Formats. Times in requests: RFC 3339 or Unix milliseconds; in answers: RFC 3339 with nanoseconds, UTC, beside the exact
 * `…UnixNano` as a decimal string. Durations in requests: `500ms`, `1.5s`, `2m` (units ns us µs ms s m h); in answers the
 * same form beside `durationNano`, a decimal string. Ids are lower-case hex. Errors are `ErrorBody` with a fitting status.
 */
import { z } from 'zod'

export const timeParameter = z.string().describe('RFC 3339 time or Unix milliseconds')
export const durationParameter = z.string().describe('duration such as 500ms, 1.5s, 2m')
const counts = z.int().min(0)
const decimal = z
  .string()
  .regex(/^-?\d+$/)
  .describe('64-bit integer as decimal text')

export const errorBody = z.object({
  error: z.object({
    code: z.string(),
    message: z.string().describe('what is wrong and what would be right'),
    at: z.string().optional().describe('the parameter or place at fault'),
  }),
})
export type ErrorBody = z.infer<typeof errorBody>

/** For figures of the whole store. */
const openRange = {
  start: timeParameter.optional().describe('start of the range, inclusive; default: everything stored'),
  end: timeParameter.optional().describe('end of the range, exclusive; default: everything stored'),
}

const range = {
  start: timeParameter.optional().describe('start of the range, inclusive; default: one hour before end'),
  end: timeParameter.optional().describe('end of the range, exclusive; default: now'),
}

/** Conditions that one span of a trace must meet together. */
const spanFilter = {
  service: z.string().optional().describe('service.name'),
  operation: z.string().optional().describe('span name'),
  status: z.enum(['error', 'ok', 'unset']).optional(),
  minDuration: durationParameter.optional(),
  maxDuration: durationParameter.optional(),
  attribute: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe(
      'key=value, repeatable; the key is looked up on the span, then on its resource; span.key= or resource.key= names one',
    ),
}

export const traceSearchParameters = z.object({
  ...spanFilter,
  start: timeParameter.optional().describe('start of the range, inclusive; default: everything stored'),
  end: timeParameter.optional().describe('end of the range, exclusive; default: everything stored'),
  limit: z.coerce.number().int().min(1).max(1000).default(20),
  sort: z.enum(['time', 'duration', 'spans', 'errors']).default('time').describe('order of the answer, largest first'),
  cursor: z.string().optional().describe('nextCursor of the page before; only with sort=time'),
})
export type TraceSearchParameters = z.infer<typeof traceSearchParameters>

export const traceSummary = z.object({
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

/** Same filter as the search; figures over the matching spans' traces for the count line and the heat map. */
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

/** Values to filter by and how many matching spans each has. */
export const facetsParameters = z.object({
  ...spanFilter,
  ...range,
  limit: z.coerce.number().int().min(1).max(100).default(10).describe('values per facet'),
})
export const facetsAnswer = z.object({
  facets: z.array(
    z.object({
      key: z.string().describe('service, operation, status, or an attribute key'),
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

export const servicesAnswer = z.object({
  services: z.array(
    z.object({
      name: z.string(),
      calls: counts.describe('SERVER and CONSUMER spans, or root spans of services that have none'),
      errors: counts,
      spans: counts,
      p50Nano: decimal,
      p95Nano: decimal,
      p99Nano: decimal,
      lastSeen: z.string(),
    }),
  ),
})
export type ServicesAnswer = z.infer<typeof servicesAnswer>

export const operationsAnswer = z.object({
  operations: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']),
      calls: counts,
      errors: counts,
      totalNano: decimal.describe('sum of durations'),
      p50Nano: decimal,
      p95Nano: decimal,
      p99Nano: decimal,
    }),
  ),
})
export type OperationsAnswer = z.infer<typeof operationsAnswer>

export const dependenciesAnswer = z.object({
  edges: z.array(
    z.object({
      parent: z.string(),
      child: z.string(),
      childType: z.enum(['service', 'database', 'messaging', 'external']),
      calls: counts,
      errors: counts,
      p50Nano: decimal,
      p95Nano: decimal,
    }),
  ),
})
export type DependenciesAnswer = z.infer<typeof dependenciesAnswer>

export const nodeItem = z.object({
  id: z.string(),
  type: z.enum(['service_instance', 'host', 'pod', 'database', 'messaging', 'external']),
  service: z.string(),
  address: z.string(),
  version: z.string(),
  cluster: z.string(),
  firstSeen: z.string(),
  lastSeen: z.string(),
  state: z.enum(['up', 'stale', 'failing']),
  spans: counts,
  events: counts,
  errors: counts,
})
export const nodesAnswer = z.object({ nodes: z.array(nodeItem) })
export type NodesAnswer = z.infer<typeof nodesAnswer>

export const clustersAnswer = z.object({
  clusters: z.array(
    z.object({
      name: z.string(),
      type: z.enum(['k8s_cluster', 'deployment_environment', 'service_namespace', 'none']),
      size: counts.describe('nodes'),
      state: z.enum(['up', 'degraded', 'stale']),
      services: z.array(z.string()),
    }),
  ),
})
export type ClustersAnswer = z.infer<typeof clustersAnswer>

export const systemAnswer = z.object({
  architecture: z.object({ services: counts, nodes: counts, clusters: counts, edges: counts }),
  components: z.array(z.object({ name: z.string(), type: z.string(), state: z.enum(['up', 'stale', 'failing']) })),
  state: z.enum(['up', 'degraded', 'empty']),
})
export type SystemAnswer = z.infer<typeof systemAnswer>

export const eventsParameters = z.object({
  query: z.string().optional().describe('words that the body must contain, all of them'),
  service: z.string().optional(),
  type: z.string().optional().describe('event name; span_event names are included'),
  severity: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).optional().describe('lowest severity'),
  traceId: z.string().optional(),
  spanId: z.string().optional(),
  attribute: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('key=value, repeatable'),
  start: timeParameter.optional(),
  end: timeParameter.optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(100),
})
export const eventItem = z.object({
  time: z.string(),
  timeUnixNano: decimal,
  type: z.string().describe('event name; empty for a plain log record'),
  source: z.object({
    service: z.string(),
    node: z.string(),
    scope: z.string(),
    protocol: z.string().describe('otlp, forward, syslog, span_event, …'),
  }),
  severityNumber: counts,
  severityText: z.string(),
  body: z.string().describe('text, or OTLP JSON of a structured body'),
  attributes: z
    .record(z.string(), z.unknown())
    .describe('OTLP JSON AnyValue for each key; an array of all values of a key that was sent more than once'),
  traceId: z.string(),
  spanId: z.string(),
})
export const eventsAnswer = z.object({ events: z.array(eventItem), total: counts })
export type EventItem = z.infer<typeof eventItem>
export type EventsAnswer = z.infer<typeof eventsAnswer>

export const attributeKeysAnswer = z.object({
  keys: z.array(
    z.object({ key: z.string(), scope: z.enum(['span', 'resource', 'event']), type: z.string(), spans: counts }),
  ),
})
export type AttributeKeysAnswer = z.infer<typeof attributeKeysAnswer>
export const attributeValuesAnswer = z.object({ values: z.array(z.object({ value: z.string(), spans: counts })) })
export type AttributeValuesAnswer = z.infer<typeof attributeValuesAnswer>

export const statusAnswer = z.object({
  version: z.string(),
  startedAt: z.string(),
  uptimeMs: counts,
  dataDir: z.string(),
  ready: z.boolean(),
  problems: z.array(z.object({ code: z.string(), message: z.string() })).describe('empty when all is well'),
  listeners: z.array(z.object({ name: z.string(), protocol: z.string(), address: z.string(), port: counts })),
  stored: z.object({
    spans: counts,
    events: counts,
    traces: counts,
    diskBytes: counts,
    parts: counts,
    oldest: z.string().nullable(),
    newest: z.string().nullable(),
  }),
  log: z.object({ pendingBytes: counts, pendingRecords: counts, diskBytes: counts, boundBytes: counts }),
  received: z.array(
    z.object({
      protocol: z.string(),
      signal: z.string(),
      requests: counts,
      accepted: counts,
      rejected: counts,
      refused: counts.describe('answered "slow down"'),
      failed: counts.describe('requests or frames that could not be read at all'),
      dropped: counts.describe('messages lost before they could be read, as far as that is known (UDP)'),
      lastError: z.string().nullable(),
    }),
  ),
  files: z
    .object({
      followed: counts,
      bytes: counts,
      notUtf8: counts.describe('pieces with bytes that are no UTF-8; U+FFFD stands for them'),
      truncations: counts.describe('files that began again under the same name'),
      lost: counts.describe('files of which a rest could not be read'),
      skipped: counts.describe('files beyond the limit, not followed'),
      unreadable: counts.describe('files that hold something new, and folders, which cannot be read now'),
    })
    .nullable()
    .describe('the files that are followed; null when none are asked for'),
  memory: z.object({ rssBytes: counts, batchesInFlightBytes: counts }),
})
export type StatusAnswer = z.infer<typeof statusAnswer>

/** OTLP JSON (`TracesData`): `{"resourceSpans":[…]}`; typed loosely as its grammar is opentelemetry-proto's own. */
export const otlpTraces = z.object({ resourceSpans: z.array(z.record(z.string(), z.unknown())) })
/** OTLP JSON (`LogsData`). */
export const otlpLogs = z.object({ resourceLogs: z.array(z.record(z.string(), z.unknown())) })

export interface Route {
  readonly name: string
  readonly method: 'GET'
  readonly path: string
  readonly summary: string
  readonly parameters?: z.ZodObject
  readonly answer: z.ZodType
}

/** Paths are relative to /api/v1; `:name` marks a path parameter. */
export const routes = [
  {
    name: 'searchTraces',
    method: 'GET',
    path: '/traces',
    summary: 'Find traces by a span in them',
    parameters: traceSearchParameters,
    answer: traceSearchAnswer,
  },
  {
    name: 'traceOverview',
    method: 'GET',
    path: '/traces/overview',
    summary: 'Counts, percentiles and heat map of matching traces',
    parameters: traceOverviewParameters,
    answer: traceOverviewAnswer,
  },
  {
    name: 'facets',
    method: 'GET',
    path: '/traces/facets',
    summary: 'Values to filter by',
    parameters: facetsParameters,
    answer: facetsAnswer,
  },
  {
    name: 'getTrace',
    method: 'GET',
    path: '/traces/:traceId',
    summary: 'One trace as OTLP JSON; 404 when unknown',
    answer: otlpTraces,
  },
  {
    name: 'getTraceLogs',
    method: 'GET',
    path: '/traces/:traceId/logs',
    summary: 'Log records of one trace as OTLP JSON',
    answer: otlpLogs,
  },
  {
    name: 'services',
    method: 'GET',
    path: '/services',
    summary: 'Services with RED figures',
    parameters: z.object(openRange),
    answer: servicesAnswer,
  },
  {
    name: 'operations',
    method: 'GET',
    path: '/services/:service/operations',
    summary: 'Operations of a service with RED figures',
    parameters: z.object(openRange),
    answer: operationsAnswer,
  },
  {
    name: 'dependencies',
    method: 'GET',
    path: '/dependencies',
    summary: 'Who calls whom',
    parameters: z.object(openRange),
    answer: dependenciesAnswer,
  },
  {
    name: 'nodes',
    method: 'GET',
    path: '/nodes',
    summary: 'Service instances, hosts, pods, databases',
    parameters: z.object(openRange),
    answer: nodesAnswer,
  },
  {
    name: 'clusters',
    method: 'GET',
    path: '/clusters',
    summary: 'Nodes that belong together',
    parameters: z.object(openRange),
    answer: clustersAnswer,
  },
  {
    name: 'system',
    method: 'GET',
    path: '/system',
    summary: 'The whole: components and state',
    parameters: z.object(openRange),
    answer: systemAnswer,
  },
  {
    name: 'events',
    method: 'GET',
    path: '/events',
    summary:
      'Events: log records and span events. With `attribute`, the events of the newest 10,000 spans that have the keys are looked at',
    parameters: eventsParameters,
    answer: eventsAnswer,
  },
  {
    name: 'attributeKeys',
    method: 'GET',
    path: '/attributes',
    summary: 'Attribute keys in use',
    parameters: z.object(openRange),
    answer: attributeKeysAnswer,
  },
  {
    name: 'attributeValues',
    method: 'GET',
    path: '/attributes/:key/values',
    summary: 'Values of one attribute',
    parameters: z.object({ ...openRange, limit: z.coerce.number().int().min(1).max(1000).default(50) }),
    answer: attributeValuesAnswer,
  },
  {
    name: 'status',
    method: 'GET',
    path: '/status',
    summary: 'What listens, what is stored, what is wrong',
    answer: statusAnswer,
  },
] as const satisfies readonly Route[]
