/** Everything that is stored, or everything that matches, as lines of OTLP JSON. */
import { z } from 'zod'
import { openRange } from './formats.ts'
import { spanFilter } from './traces.ts'

export const exportParameters = z.object({
  ...spanFilter,
  ...openRange,
  signal: z.enum(['spans', 'logs']).optional().describe('only these; default: spans, then log records'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe(
      'number of traces, the newest that match; default: all. With it, log records without a trace are left out',
    ),
})
export type ExportParameters = z.infer<typeof exportParameters>

export const exportAnswer = z
  .string()
  .describe('lines of OTLP JSON, {"resourceSpans":[…]} or {"resourceLogs":[…]} each, as an OTLP request would hold it')
