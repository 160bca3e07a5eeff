/**
 * The frame that traces and logs share, from JSON; the counterpart of `envelope.ts`:
 *   {resourceSpans: [{resource, scopeSpans: [{scope, spans: […], schemaUrl}], schemaUrl}]}
 * Members may come in any order, so rows may be read before their resource or scope is known: they refer to a place
 * that is filled in when the surrounding object ends. If the resource or scope is invalid, its rows are removed again.
 */
import { InputError } from '../../base/errors.ts'
import type { Attribute } from '../../model/attributes.ts'
import { rowsMax } from '../../model/span-batch.ts'
import { emptyScope, makeResource, makeScope, type Resource, type Scope } from '../../model/resource.ts'
import { decodeKeyValuesJson } from './any-value-json.ts'
import type { Rejections } from './envelope.ts'
import { jsonPathAt, JsonReader, type Fault } from './json-reader.ts'
import { readUint32 } from './json-values.ts'
import { tooManyRejected } from './problem.ts'

export interface JsonEnvelopeBuilder {
  readonly rows: number
  readonly resources: Resource[]
  readonly scopes: Scope[]
  readonly resourceIndexes: Uint32Array
  readonly scopeIndexes: Uint32Array
  beginRow(): number
  endRow(): void
  dropRow(): void
  truncate(rows: number): void
}

export interface JsonRowVisitor {
  /** `resourceSpans`, `scopeSpans`, `spans`. */
  readonly levels: readonly [string, string, string]
  /** Reads the object that comes next into the row; a mistake in it becomes a fault. */
  row(reader: JsonReader, row: number): void
}

const emptyResource = makeResource([])

/** Throws `InputError` when the body is not UTF-8, not JSON, or not such a frame. */
export function decodeEnvelopeJson(
  body: Uint8Array,
  builder: JsonEnvelopeBuilder,
  visitor: JsonRowVisitor,
): Rejections {
  const reader = new JsonReader(body)
  const frame = new Frame(reader, builder, visitor)
  reader.peek()
  readArray(reader, visitor.levels[0], () => frame.readResourceRows())
  reader.finish()
  return { rejected: frame.rejected, rejectedReason: frame.reason() }
}

/** Visits the items of the member `name` of the object that comes next; other members are skipped. */
function readArray(reader: JsonReader, name: string, readItem: () => void): void {
  if (reader.openObject()) {
    for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
      if (key === name) readItems(reader, readItem)
      else reader.skipValue()
    }
  }
  failOnFault(reader)
}

function readItems(reader: JsonReader, readItem: () => void): void {
  if (reader.openArray()) while (reader.nextItem()) readItem()
  failOnFault(reader)
}

/** A fault outside of rows, resources and scopes affects the whole body. */
function failOnFault(reader: JsonReader): void {
  const fault = reader.takeFault()
  if (fault === undefined) return
  const path = jsonPathAt(reader.bytes, fault.at)
  const place = path === '' ? 'the body' : path
  throw new InputError('bad_request', `cannot decode OTLP JSON: ${place} ${fault.text}`, { at: path || 'byte 0' })
}

class Frame {
  readonly #reader: JsonReader
  readonly #builder: JsonEnvelopeBuilder
  readonly #visitor: JsonRowVisitor
  rejected = 0
  #firstFault: Fault | undefined

  constructor(reader: JsonReader, builder: JsonEnvelopeBuilder, visitor: JsonRowVisitor) {
    this.#reader = reader
    this.#builder = builder
    this.#visitor = visitor
  }

  reason(): string {
    if (this.#firstFault === undefined) return ''
    return `${jsonPathAt(this.#reader.bytes, this.#firstFault.at)} ${this.#firstFault.text}`
  }

  readResourceRows(): void {
    const reader = this.#reader
    const builder = this.#builder
    const firstRow = builder.rows
    const index = builder.resources.push(emptyResource) - 1
    let head: ResourceHead = { attributes: [], dropped: 0 }
    let schemaUrl = ''
    let fault: Fault | undefined
    if (reader.openObject()) {
      for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
        if (key === this.#visitor.levels[1]) readItems(reader, () => this.#readScopeRows(index))
        else if (key === 'resource') head = readResource(reader)
        else if (key === 'schemaUrl') schemaUrl = readText(reader)
        else reader.skipValue()
        fault ??= reader.takeFault()
      }
    }
    failOnFault(reader)
    if (fault !== undefined) this.#takeBack(firstRow, fault)
    if (builder.rows === firstRow) builder.resources.pop()
    else builder.resources[index] = makeResource(head.attributes, head.dropped, schemaUrl)
  }

  #readScopeRows(resourceIndex: number): void {
    const reader = this.#reader
    const builder = this.#builder
    const firstRow = builder.rows
    const index = builder.scopes.push(emptyScope) - 1
    let head: ScopeHead = { name: '', version: '', attributes: [], dropped: 0 }
    let schemaUrl = ''
    let fault: Fault | undefined
    if (reader.openObject()) {
      for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
        if (key === this.#visitor.levels[2]) readItems(reader, () => this.#readRow(resourceIndex, index))
        else if (key === 'scope') head = readScope(reader)
        else if (key === 'schemaUrl') schemaUrl = readText(reader)
        else reader.skipValue()
        fault ??= reader.takeFault()
      }
    }
    failOnFault(reader)
    if (fault !== undefined) this.#takeBack(firstRow, fault)
    if (builder.rows === firstRow) builder.scopes.pop()
    else {
      const rest = { droppedAttributesCount: head.dropped, schemaUrl }
      builder.scopes[index] = makeScope(head.name, head.version, head.attributes, rest)
    }
  }

  #readRow(resourceIndex: number, scopeIndex: number): void {
    const builder = this.#builder
    const row = builder.beginRow()
    builder.resourceIndexes[row] = resourceIndex
    builder.scopeIndexes[row] = scopeIndex
    this.#visitor.row(this.#reader, row)
    const fault = this.#reader.takeFault()
    if (fault === undefined) return builder.endRow()
    builder.dropRow()
    this.#reject(1, fault)
  }

  /** Rejects the rows from `firstRow` on, whose resource or scope is invalid. */
  #takeBack(firstRow: number, fault: Fault): void {
    const rows = this.#builder.rows - firstRow
    this.#builder.truncate(firstRow)
    if (rows > 0) this.#reject(rows, fault)
  }

  #reject(rows: number, fault: Fault): void {
    this.rejected += rows
    this.#firstFault ??= fault
    if (this.rejected > rowsMax) throw tooManyRejected(this.reason())
  }
}

interface ResourceHead {
  attributes: Attribute[]
  dropped: number
}

interface ScopeHead extends ResourceHead {
  name: string
  version: string
}

function readResource(reader: JsonReader): ResourceHead {
  const head: ResourceHead = { attributes: [], dropped: 0 }
  if (!reader.openObject()) return head
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    if (key === 'attributes') head.attributes = decodeKeyValuesJson(reader)
    else if (key === 'droppedAttributesCount') head.dropped = readUint32(reader)
    else reader.skipValue()
  }
  return head
}

function readScope(reader: JsonReader): ScopeHead {
  const head: ScopeHead = { name: '', version: '', attributes: [], dropped: 0 }
  if (!reader.openObject()) return head
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    if (key === 'name') head.name = readText(reader)
    else if (key === 'version') head.version = readText(reader)
    else if (key === 'attributes') head.attributes = decodeKeyValuesJson(reader)
    else if (key === 'droppedAttributesCount') head.dropped = readUint32(reader)
    else reader.skipValue()
  }
  return head
}

/** A string, '' when absent. */
export function readText(reader: JsonReader): string {
  return reader.readString() ? reader.text() : ''
}
