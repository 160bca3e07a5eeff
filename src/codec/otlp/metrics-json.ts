/**
 * Counts data points as `metrics-protobuf.ts` does, from JSON:
 *   {resourceMetrics: [{scopeMetrics: [{metrics: [{gauge|sum|histogram|exponentialHistogram|summary: {dataPoints: […]}}]}]}]}
 */
import { isUtf8 } from 'node:buffer'
import { InputError } from '../../base/errors.ts'
import { jsonPathAt, JsonReader } from './json-reader.ts'

interface Level {
  readonly keys: readonly string[]
  readonly isArray: boolean
}

const levels: readonly Level[] = [
  { keys: ['resourceMetrics'], isArray: true },
  { keys: ['scopeMetrics'], isArray: true },
  { keys: ['metrics'], isArray: true },
  { keys: ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'], isArray: false },
  { keys: ['dataPoints'], isArray: true },
]

/** Throws `InputError` when the body is not such a request. */
export function countDataPointsJson(body: Uint8Array): number {
  if (!isUtf8(body)) throw new InputError('bad_request', 'cannot decode JSON: the body is not valid UTF-8')
  const reader = new JsonReader(body)
  reader.peek()
  const points = count(reader, 0)
  reader.finish()
  const fault = reader.takeFault()
  if (fault === undefined) return points
  const path = jsonPathAt(body, fault.at) || 'the body'
  throw new InputError('bad_request', `cannot decode OTLP JSON: ${path} ${fault.text}`, { at: path })
}

/** Counts in the object that comes next, which contains the members of this level. */
function count(reader: JsonReader, depth: number): number {
  const level = levels[depth]
  if (level === undefined) {
    reader.skipValue()
    return 1
  }
  let points = 0
  if (!reader.openObject()) return 0
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    if (!level.keys.includes(key)) reader.skipValue()
    else if (!level.isArray) points += count(reader, depth + 1)
    else if (reader.openArray()) while (reader.nextItem()) points += count(reader, depth + 1)
  }
  return points
}
