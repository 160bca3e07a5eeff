/** Parameters and answers that several routes share. */
import { z } from 'zod'

export const timeParameter = z.string().describe('RFC 3339 time or Unix milliseconds')
export const durationParameter = z.string().describe('duration such as 500ms, 1.5s, 2m')
export const counts = z.int().min(0)
export const decimal = z
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

/** For statistics over the whole store. */
export const openRange = {
  start: timeParameter.optional().describe('start of the range, inclusive; default: everything stored'),
  end: timeParameter.optional().describe('end of the range, exclusive; default: everything stored'),
}

export const range = {
  start: timeParameter.optional().describe('start of the range, inclusive; default: one hour before end'),
  end: timeParameter.optional().describe('end of the range, exclusive; default: now'),
}
