/**
 * Samples of the host, as the log stores them:
 *   body   = JSON { v: 1, resource: { key: value … }, events: [ event … ] }
 *   event  = { t: "nanoseconds", type, text, attributes: { key: value … } }
 *   value  = text | whole number (an int) | { "double": number }
 */
import { InputError, messageOf } from '../../base/errors.ts'
import type { AttributeValue } from '../../model/attributes.ts'
import { bodyTypes, EventBatchBuilder } from '../../model/event-batch.ts'
import { emptyScope, makeResource } from '../../model/resource.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'

export type HostValue = string | number | { readonly double: number }

export interface HostEvent {
  /** Nanoseconds since the epoch. */
  readonly t: string
  readonly type: string
  readonly text: string
  readonly attributes: Readonly<Record<string, HostValue>>
}

export interface HostBody {
  readonly v: 1
  readonly resource: Readonly<Record<string, HostValue>>
  readonly events: readonly HostEvent[]
}

export const host: Codec = { name: 'host', signal: 'events', decode }

const infoSeverity = 9
const builder = new EventBatchBuilder()

function decode(body: Uint8Array, context: DecodeContext): Decoded {
  const { resource, events } = parse(body)
  builder.reset('host')
  const resourceAttributes = Object.entries(resource).map(([key, value]) => ({ key, value: attributeOf(value) }))
  builder.resources.push(makeResource(resourceAttributes))
  builder.scopes.push(emptyScope)
  const received = BigInt(Math.round(context.receivedAtMs)) * 1_000_000n
  for (const event of events) {
    const row = builder.beginRow()
    builder.resourceIndexes[row] = builder.scopeIndexes[row] = 0
    builder.setTimes(row, BigInt(event.t), received, received)
    builder.severityNumbers[row] = infoSeverity
    builder.severityTexts[row] = builder.internText('INFO')
    builder.types[row] = builder.internText(event.type)
    builder.setBody(row, bodyTypes.string, event.text)
    for (const [key, value] of Object.entries(event.attributes)) {
      builder.attributes.addValue(builder.internText(key), attributeOf(value), builder)
    }
    builder.endRow()
  }
  return { batch: builder.finish(), rejected: 0, rejectedReason: '' }
}

/** Throws `InputError`: only this program writes such bodies, so any mistake makes the whole body invalid. */
function parse(body: Uint8Array): HostBody {
  try {
    const parsed = JSON.parse(Buffer.from(body).toString('utf8')) as HostBody
    const isRight = parsed.v === 1 && areValues(parsed.resource) && parsed.events.every(isEvent)
    if (!isRight) throw new Error('a field is missing or of the wrong kind')
    return parsed
  } catch (error) {
    throw new InputError('bad_request', `cannot decode host events: ${messageOf(error)}`, { cause: error })
  }
}

function isEvent({ t, type, text, attributes }: HostEvent): boolean {
  return (
    /^\d{1,18}$|^[1-8]\d{18}$/.test(t) && typeof type === 'string' && typeof text === 'string' && areValues(attributes)
  )
}

function areValues(values: Readonly<Record<string, HostValue>>): boolean {
  if (values === null || typeof values !== 'object') return false
  return Object.values(values).every(
    (value) =>
      typeof value === 'string' ||
      Number.isSafeInteger(value) ||
      typeof (value as { double?: unknown } | null)?.double === 'number',
  )
}

function attributeOf(value: HostValue): AttributeValue {
  if (typeof value === 'string') return { type: 'string', value: value.toWellFormed() }
  if (typeof value === 'number') return { type: 'int', value: BigInt(value) }
  return { type: 'double', value: value.double }
}
