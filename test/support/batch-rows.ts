/** Batches as the rows that a reader of the store would give, without the store: for comparing what decoders made. */
import type { EventBatch } from '../../src/model/event-batch.ts'
import { attributesOf, entryText, idText, referredText, withoutZeros } from '../../src/model/span-row-reader.ts'
import type { EventRow } from '../../src/model/span-row.ts'

export { spanRowsOf } from '../../src/model/span-row-reader.ts'

export function eventRowsOf(batch: EventBatch): EventRow[] {
  return Array.from({ length: batch.rows }, (_, row) => ({
    timeUnixNano: batch.times[row]!,
    timeGiven: batch.timeGiven[row] === 1,
    observedTimeUnixNano: batch.observedTimes[row]!,
    traceId: withoutZeros(idText(batch.traceIds, row, 16)),
    spanId: withoutZeros(idText(batch.spanIds, row, 8)),
    flags: batch.flags[row]!,
    severityNumber: batch.severityNumbers[row]!,
    severityText: entryText(batch, batch.severityTexts[row]!),
    type: entryText(batch, batch.types[row]!),
    protocol: batch.protocol,
    service: batch.resources[batch.resourceIndexes[row]!]!.serviceName,
    bodyType: batch.bodyTypes[row]!,
    body: referredText(batch.arena, batch.bodies, row),
    attributes: attributesOf(batch, batch.attributes, row),
    droppedAttributesCount: batch.droppedAttributes[row]!,
    resource: batch.resources[batch.resourceIndexes[row]!]!.json,
    scope: batch.scopes[batch.scopeIndexes[row]!]!.json,
  }))
}
