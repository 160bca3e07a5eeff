/**
 * Metrics are not stored, but a sender must learn how many of its data points were refused:
 *   ExportMetricsServiceRequest = 1 ResourceMetrics*     ResourceMetrics = 2 ScopeMetrics*     ScopeMetrics = 2 Metric*
 *   Metric = oneof 5 gauge · 7 sum · 9 histogram · 10 exponential_histogram · 11 summary, each with 1 data_points*
 * (opentelemetry-proto 1.11, metrics/v1/metrics.proto)
 */
import { WireReader } from './wire.ts'

/** Fields to descend, level by level. */
const levels: readonly (readonly number[])[] = [[1], [2], [2], [5, 7, 9, 10, 11], [1]]

/** Throws `InputError` when the bytes are not such a request. */
export function countDataPointsProtobuf(body: Uint8Array): number {
  const reader = new WireReader(body)
  return count(reader, body.length, 0)
}

function count(reader: WireReader, end: number, depth: number): number {
  if (depth === levels.length) {
    reader.at = end
    return 1
  }
  let points = 0
  while (reader.at < end) {
    const tag = reader.tag(end)
    if ((tag & 7) === 2 && levels[depth]!.includes(tag >>> 3)) points += count(reader, reader.lengthEnd(end), depth + 1)
    else reader.skip(tag & 7, end)
  }
  return points
}
