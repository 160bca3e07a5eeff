/**
 * Resource and InstrumentationScope from the wire:
 *   Resource = 1 attributes KeyValue* · 2 dropped_attributes_count
 *   InstrumentationScope = 1 name · 2 version · 3 attributes KeyValue* · 4 dropped_attributes_count
 * The same bytes come with every request of a sender, so decoded ones are remembered by their bytes.
 */
import type { Attribute } from '../../model/attributes.ts'
import { makeResource, makeScope, type Resource, type Scope } from '../../model/resource.ts'
import { repairCount } from '../repairs.ts'
import { byteKey } from '../utf8.ts'
import { decodeKeyValue, readText } from './any-value.ts'
import type { WireReader } from './wire.ts'

/** Where a resource or scope is in the body, and the schema URL in its surrounding message. */
export interface Head {
  start: number
  end: number
  schemaUrl: string
}

/** The maximum number of remembered ones; beyond it, all are forgotten and decoded again. */
const rememberedMax = 4096
/** Larger ones are decoded each time: 4096 of them take 16 MiB for their bytes alone. */
const rememberedBytesMax = 4096
/** Characters of typed JSON of everything remembered; as objects it takes up to about thirty times as much. */
const rememberedJsonMax = 4 << 20

/** Values remembered by their bytes; a `T` is decoded once for all requests that repeat the bytes. */
class Remembered<T extends { readonly json: string }> {
  readonly #known = new Map<string, T | string>()
  readonly #read: (reader: WireReader, end: number, schemaUrl: string) => T | string
  #jsonLength = 0

  constructor(read: (reader: WireReader, end: number, schemaUrl: string) => T | string) {
    this.#read = read
  }

  get(reader: WireReader, { start, end, schemaUrl }: Head): T | string {
    if (end - start + schemaUrl.length > rememberedBytesMax) return this.#decode(reader, { start, end, schemaUrl })
    const key = byteKey(reader.bytes, start, end) + '\n' + schemaUrl
    const found = this.#known.get(key)
    if (found !== undefined) return found
    const repairs = repairCount()
    const made = this.#decode(reader, { start, end, schemaUrl })
    if (repairCount() !== repairs) return made
    this.#jsonLength += typeof made === 'string' ? 0 : made.json.length
    if (this.#known.size >= rememberedMax || this.#jsonLength > rememberedJsonMax) {
      this.#known.clear()
      this.#jsonLength = typeof made === 'string' ? 0 : made.json.length
    }
    this.#known.set(key, made)
    return made
  }

  /** Uses the request's reader, so that its objects count; the reader's position does not change. */
  #decode(reader: WireReader, { start, end, schemaUrl }: Head): T | string {
    const at = reader.at
    reader.at = start
    const made = this.#read(reader, end, schemaUrl)
    reader.at = at
    return made
  }
}

const resources = new Remembered(readResource)
const scopes = new Remembered(readScope)

/** The Resource at `head`, or what is wrong with it. */
export function decodeResource(reader: WireReader, head: Head): Resource | string {
  return resources.get(reader, head)
}

export function decodeScope(reader: WireReader, head: Head): Scope | string {
  return scopes.get(reader, head)
}

function readResource(reader: WireReader, end: number, schemaUrl: string): Resource | string {
  const attributes: Attribute[] = []
  let dropped = 0
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x0a) {
      const attribute = decodeKeyValue(reader, reader.lengthEnd(end))
      if (typeof attribute === 'string') return `resource: ${attribute}`
      attributes.push(attribute)
    } else if (tag === 0x10) dropped = reader.varint32(end)
    else reader.skip(tag & 7, end)
  }
  return makeResource(attributes, dropped, schemaUrl)
}

function readScope(reader: WireReader, end: number, schemaUrl: string): Scope | string {
  const attributes: Attribute[] = []
  let name = ''
  let version = ''
  let droppedAttributesCount = 0
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x0a || tag === 0x12) {
      const text = readText(reader, reader.lengthEnd(end), 'a scope name or version')
      if (tag === 0x0a) name = text
      else version = text
    } else if (tag === 0x1a) {
      const attribute = decodeKeyValue(reader, reader.lengthEnd(end))
      if (typeof attribute === 'string') return `scope: ${attribute}`
      attributes.push(attribute)
    } else if (tag === 0x20) droppedAttributesCount = reader.varint32(end)
    else reader.skip(tag & 7, end)
  }
  return makeScope(name, version, attributes, { droppedAttributesCount, schemaUrl })
}
