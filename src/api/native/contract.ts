/**
 * The native API: every route with the schemas of its parameters and its answer, which are in the folder `contract`.
 * The server validates with them. The CLI and the web UI take their types from here and import nothing else of the
 * server. `GET /api/v1/openapi.json` is printed from them.
 *
 * Formats. Times in requests: RFC 3339 or Unix milliseconds. Times in answers: RFC 3339 with nanoseconds, UTC, plus the
 * exact `…UnixNano` as a decimal string. Durations in requests: `500ms`, `1.5s`, `2m` (units ns us µs ms s m h).
 * Durations in answers: the same form, plus `durationNano`, a decimal string. Ids are lower-case hex. Errors are
 * `ErrorBody` with a fitting status.
 */
import { z } from 'zod'
import {
  attributeKeysAnswer,
  attributeValuesAnswer,
  clustersAnswer,
  dependenciesAnswer,
  nodesAnswer,
  operationsAnswer,
  servicesAnswer,
  systemAnswer,
} from './contract/catalog.ts'
import { eventsAnswer, eventsParameters } from './contract/events.ts'
import { exportAnswer, exportParameters } from './contract/export.ts'
import { openRange } from './contract/formats.ts'
import { statusAnswer } from './contract/status.ts'
import {
  facetsAnswer,
  facetsParameters,
  otlpLogs,
  otlpTraces,
  traceOverviewAnswer,
  traceOverviewParameters,
  traceSearchAnswer,
  traceSearchParameters,
} from './contract/traces.ts'

export type * from './contract/catalog.ts'
export type * from './contract/events.ts'
export type * from './contract/export.ts'
export type * from './contract/formats.ts'
export type * from './contract/status.ts'
export type * from './contract/traces.ts'

export interface Route {
  readonly name: string
  readonly method: 'GET'
  readonly path: string
  readonly summary: string
  readonly parameters?: z.ZodObject
  readonly answer: z.ZodType
  /** Type of an answer that is streamed; without it, one JSON value. */
  readonly streamed?: string
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
    name: 'exportRows',
    method: 'GET',
    path: '/export',
    summary:
      'All spans and log records of the range, or with a filter whole matching traces and their log records, as lines of OTLP JSON. A line is about 1 MiB; there is no limit on their number',
    parameters: exportParameters,
    answer: exportAnswer,
    streamed: 'application/x-ndjson',
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
