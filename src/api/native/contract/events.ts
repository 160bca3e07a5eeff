/** Searches over events: log records and span events. */
import { z } from 'zod'
import { counts, decimal, timeParameter } from './formats.ts'

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
export type EventsParameters = z.infer<typeof eventsParameters>

const eventItem = z.object({
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
