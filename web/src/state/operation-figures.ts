/** How long an operation usually takes, to compare one span with; loaded once per operation and page. */
import { millisOf } from '../model/time.ts'
import * as api from './api.ts'

export interface OperationFigures {
  readonly calls: number
  readonly p50: number
  readonly p95: number
}

const hourMs = 3_600_000
const keptMax = 50
const asked = new Map<string, Promise<Awaited<ReturnType<typeof api.operations>>>>()

/**
 * Statistics of the hour up to the span; `undefined` when there are none or loading fails, because they are optional.
 */
export async function operationFigures(
  service: string,
  operation: string,
  atNano: bigint,
): Promise<OperationFigures | undefined> {
  const toMs = Math.ceil((millisOf(atNano) + 1) / 60_000) * 60_000
  const key = `${service} ${toMs}`
  if (!asked.has(key)) asked.set(key, api.operations(service, toMs - hourMs, toMs))
  if (asked.size > keptMax) asked.delete(asked.keys().next().value!)
  try {
    const { operations } = await asked.get(key)!
    const found = operations.filter(({ name, calls }) => name === operation && calls > 0)
    const [most] = found.sort((a, b) => b.calls - a.calls)
    return most && { calls: most.calls, p50: Number(most.p50Nano), p95: Number(most.p95Nano) }
  } catch {
    asked.delete(key)
    return undefined
  }
}
