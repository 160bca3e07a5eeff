/** What clew reports about itself. */
import { z } from 'zod'
import { counts } from './formats.ts'

export const statusAnswer = z.object({
  version: z.string(),
  startedAt: z.string(),
  uptimeMs: counts,
  dataDir: z.string(),
  ready: z.boolean(),
  problems: z.array(z.object({ code: z.string(), message: z.string() })).describe('empty when all is well'),
  listeners: z.array(
    z.object({
      name: z.string(),
      protocol: z.enum(['tcp', 'udp']),
      accepts: z
        .enum(['otlp-grpc', 'otlp-http', 'zipkin', 'jaeger', 'forward', 'syslog', 'gelf', 'lines', 'ui'])
        .describe('what clients send to this port; `ui` is the port of the web UI and of this API'),
      address: z.string(),
      port: counts,
    }),
  ),
  stored: z
    .object({
      spans: counts,
      events: counts,
      traces: counts,
      diskBytes: counts,
      parts: counts,
      oldest: z.string().nullable(),
      newest: z.string().nullable(),
    })
    .describe('as last read when the store does not answer within two seconds'),
  repeatedSpans: counts.describe('spans that came since the start and were left out because they were stored already'),
  queries: z
    .object({
      running: counts,
      sessions: counts.describe('queries that can run at once'),
      waiting: counts,
      longestWaitMs: counts.describe('of those that wait now'),
      longestRunMs: counts.describe('of those that run now'),
      refused: counts.describe('since the start, because too many waited'),
    })
    .describe('what the store is asked'),
  log: z.object({ pendingBytes: counts, pendingRecords: counts, diskBytes: counts, boundBytes: counts }),
  received: z.array(
    z.object({
      protocol: z.string(),
      signal: z.string(),
      requests: counts,
      accepted: counts,
      rejected: counts,
      repaired: counts.describe('values not stored as they were sent, so that their rows could be'),
      refused: counts.describe('answered "slow down"'),
      failed: counts.describe('requests or frames that could not be read at all'),
      dropped: counts.describe('messages lost before they could be read, as far as that is known (UDP)'),
      lastError: z.string().nullable(),
    }),
  ),
  farOff: z
    .array(
      z.object({
        protocol: z.string(),
        signal: z.string(),
        service: z.string(),
        kind: z.enum(['before_retention', 'ahead']),
        count: counts,
        newest: z.string(),
      }),
    )
    .describe('rows that were stored, but are not to be seen: older than the retention, or in the future'),
  files: z
    .object({
      followed: counts,
      bytes: counts,
      notUtf8: counts.describe('pieces with invalid UTF-8; U+FFFD stands for them'),
      truncations: counts.describe('files that began again under the same name'),
      lost: counts.describe('files not read to the end'),
      skipped: counts.describe('files beyond the limit, not followed'),
      unreadable: counts.describe('files that hold something new, and folders, which cannot be read now'),
    })
    .nullable()
    .describe('the files that are followed; null when none are asked for'),
  engine: z
    .object({
      pid: counts.nullable().describe('null while it is down'),
      rssBytes: counts,
      restarts: counts.describe('since the start of clew'),
      lastEnd: z.object({ why: z.string(), at: z.string() }).nullable().describe('why it was started again last'),
    })
    .describe('the process that the store runs in'),
  memory: z.object({
    rssBytes: counts.describe('of the server; the engine has its own'),
    batchesInFlightBytes: counts,
  }),
})
export type StatusAnswer = z.infer<typeof statusAnswer>
