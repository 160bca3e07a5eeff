/**
 * Which spans of a batch meet a filter: what clickhouse/read/conditions.ts says in SQL over what
 * clickhouse/block/attribute-block.ts stores, on the columns themselves. Where one changes, the other has to.
 */
import { valueTypes, type AttributeColumns } from '../../model/attribute-columns.ts'
import type { AttributeValue } from '../../model/attributes.ts'
import type { Resource } from '../../model/resource.ts'
import type { AttributeCondition, SpanFilter } from '../../model/span-filter.ts'
import { noText } from '../../model/dictionary.ts'
import type { SpanBatch } from '../../model/span-batch.ts'
import { numberOf, otherText } from '../stored-value.ts'
import { dedicatedByKey, type DedicatedType } from '../dedicated.ts'
import { spelledValue, type SpelledValue } from './spelled-value.ts'

/** 1 for each row that meets the filter, else 0; `undefined` when only the engine can tell for some row. */
export function matchingRows(batch: SpanBatch, filter: SpanFilter): Uint8Array | undefined {
  const meetsRest = plainMatch(batch, filter)
  const conditions = filter.attributes.map((condition) => attributeMatch(batch, condition))
  const found = new Uint8Array(batch.rows)
  for (let row = 0; row < batch.rows; row++) {
    if (!meetsRest(row)) continue
    let meets: boolean | undefined = true
    for (const condition of conditions) {
      const one = condition(row)
      if (one === false) {
        meets = false
        break
      }
      if (one === undefined) meets = undefined
    }
    if (meets === undefined) return undefined
    found[row] = meets ? 1 : 0
  }
  return found
}

/** Everything but attributes. */
function plainMatch(batch: SpanBatch, filter: SpanFilter): (row: number) => boolean {
  const { service, operation, status, durationMinNs, durationMaxNs, startNs, endNs } = filter
  const name = operation === undefined ? undefined : entryOf(batch, operation)
  return (row) => {
    if (service !== undefined && batch.resources[batch.resourceIndexes[row]!]!.serviceName !== service) return false
    if (name !== undefined && !(batch.names[row] === name || (operation === '' && batch.names[row] === noText))) {
      return false
    }
    if (status !== undefined && batch.statuses[row] !== status) return false
    const duration = batch.durations[row]!
    if (durationMinNs !== undefined && duration < durationMinNs) return false
    if (durationMaxNs !== undefined && duration > durationMaxNs) return false
    const start = batch.startTimes[row]!
    return (startNs === undefined || start >= startNs) && (endNs === undefined || start < endNs)
  }
}

type RowMatch = (row: number) => boolean | undefined

function attributeMatch(batch: SpanBatch, { scope, key, value }: AttributeCondition): RowMatch {
  const spelled = spelledValue(value)
  const onResource = new Map<Resource, boolean | undefined>()
  for (const resource of scope === 'span' ? [] : batch.resources) {
    if (!onResource.has(resource)) onResource.set(resource, resourceMatch(resource, key, value))
  }
  const onSpan = scope === 'resource' ? (): false => false : spanMatch(batch, key, value, spelled)
  return (row) => {
    const meets = onSpan(row)
    if (meets === true || scope === 'span') return meets
    const resource = onResource.get(batch.resources[batch.resourceIndexes[row]!]!)
    return resource === false ? meets : resource
  }
}

const [inStrings, inNumbers, inOthers] = [1, 2, 4]

/**
 * The first value that a dedicated column holds is there, all others are in the map of their kind. Which of several values
 * under one key of a map is compared depends on how the engine reads the map.
 */
function spanMatch(batch: SpanBatch, key: string, text: string, spelled: SpelledValue): RowMatch {
  const { attributes } = batch
  const { ends, keys, a, b } = attributes
  const entry = entryOf(batch, key)
  const dedicated = dedicatedByKey.get(key)?.type
  const port = dedicated === 'port' && /^\d{1,5}$/.test(text) ? Number(text) : -1
  return (row) => {
    if (entry < 0) return false
    let inColumn = dedicated === undefined
    let meeting = 0
    let failing = 0
    for (let at = row === 0 ? 0 : ends[row - 1]!; at < ends[row]!; at++) {
      if (keys[at] !== entry) continue
      if (!inColumn && fitsColumn(dedicated!, attributes, at)) {
        inColumn = true
        if (dedicated === 'port' ? a[at] === port : isText(batch.arena, a[at]!, b[at]!, spelled.bytes)) return true
        continue
      }
      const { map, meets } = mapEntry(batch, at, spelled)
      if (meets) meeting |= map
      else failing |= map
    }
    if ((meeting & ~failing) !== 0) return true
    return meeting === 0 ? false : undefined
  }
}

function mapEntry(batch: SpanBatch, at: number, spelled: SpelledValue): { map: number; meets: boolean } {
  const { types, a, b } = batch.attributes
  const [type, low, high] = [types[at]!, a[at]!, b[at]!]
  if (type === valueTypes.string) return { map: inStrings, meets: isText(batch.arena, low, high, spelled.bytes) }
  const number = numberOf(type, low, high)
  if (number !== undefined) return { map: inNumbers, meets: number === spelled.number }
  return { map: inOthers, meets: spelled.others.includes(otherText(type, low, high, batch.texts)) }
}

function fitsColumn(dedicated: DedicatedType, { types, a, b }: AttributeColumns, at: number): boolean {
  if (dedicated !== 'port') return types[at] === valueTypes.string && b[at] !== 0
  return types[at] === valueTypes.int && b[at] === 0 && a[at]! > 0 && a[at]! <= 0xffff
}

/** As the engine reads typed JSON; how it prints doubles, texts in quotes, lists and objects is left to it. */
function resourceMatch({ attributes }: Resource, key: string, text: string): boolean | undefined {
  const held = attributes.find((attribute) => attribute.key === key)?.value
  if (held === undefined) return false
  return isSpelled(held, text) || (isLeftToEngine(held, text) ? undefined : false)
}

function isSpelled(held: AttributeValue, text: string): boolean {
  switch (held.type) {
    case 'string':
      return held.value === text
    case 'int':
    case 'bool':
      return String(held.value) === text
    default:
      return false
  }
}

function isLeftToEngine({ type }: AttributeValue, text: string): boolean {
  if (type === 'int' || type === 'bool') return false
  return type === 'double' ? /^[-+.\d{]/.test(text) : /^["{[]/.test(text)
}

/** The number of a text in the batch's dictionary, or -1. */
function entryOf({ arena, dictionary: { starts, lengths } }: SpanBatch, text: string): number {
  const bytes = Buffer.from(text)
  for (let entry = 0; entry < starts.length; entry++) {
    if (isText(arena, starts[entry]!, lengths[entry]!, bytes)) return entry
  }
  return -1
}

function isText(arena: Uint8Array, start: number, length: number, bytes: Uint8Array): boolean {
  if (length !== bytes.length) return false
  for (let i = 0; i < length; i++) if (arena[start + i] !== bytes[i]) return false
  return true
}
