/**
 * The frame that traces and logs share (collector/*_service.proto, trace.proto, logs.proto):
 *   Export…ServiceRequest = 1 ResourceSpans|ResourceLogs*
 *   Resource… = 1 resource · 2 Scope…* · 3 schema_url
 *   Scope… = 1 scope · 2 span|log record* · 3 schema_url
 * Fields may come in any order, so each message is looked over once for its resource or scope before its rows are read.
 */
import { rowsMax } from '../../model/span-batch.ts'
import type { Resource, Scope } from '../../model/resource.ts'
import { readText } from './any-value.ts'
import { tooManyRejected } from './problem.ts'
import { decodeResource, decodeScope, type Head } from './resource.ts'
import { WireReader } from './wire.ts'

export interface EnvelopeBuilder {
  readonly resources: Resource[]
  readonly scopes: Scope[]
}

export interface RowVisitor {
  /** Names of the three levels, for the path of a rejected row: `resource_spans`, `scope_spans`, `spans`. */
  readonly levels: readonly [string, string, string]
  /**
   * Reads the row in [reader.at, end), whose resource and scope are the last ones of the builder. Returns what is wrong
   * with it, or ''. An invalid row leaves nothing in the builder.
   */
  row(reader: WireReader, end: number): string
}

/** How many rows were left out, and what was wrong with the first. */
export interface Rejections {
  rejected: number
  rejectedReason: string
}

/** Reads all rows into the builder, which gets only the resources and scopes that have rows. */
export function decodeEnvelope(body: Uint8Array, builder: EnvelopeBuilder, visitor: RowVisitor): Rejections {
  const frame: Frame = {
    reader: new WireReader(body),
    builder,
    visitor,
    at: [-1, -1, -1],
    rejections: { rejected: 0, rejectedReason: '' },
  }
  const { reader } = frame
  while (reader.at < body.length) {
    const tag = reader.tag(body.length)
    if (tag === 0x0a) decodeResourceRows(frame, reader.lengthEnd(body.length))
    else reader.skip(tag & 7, body.length)
  }
  return frame.rejections
}

interface Frame {
  readonly reader: WireReader
  readonly builder: EnvelopeBuilder
  readonly visitor: RowVisitor
  /** The current place: the number of the resource, of the scope in it, and of the row in that. */
  readonly at: [number, number, number]
  readonly rejections: Rejections
}

function decodeResourceRows(frame: Frame, end: number): void {
  const { reader, at } = frame
  at[0]++
  at[1] = -1
  const head = readHead(reader, end)
  let resource: Resource | string | undefined
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x12) {
      // Decoded when first needed: a resource without rows needs no work.
      resource ??= decodeResource(reader, head)
      decodeScopeRows(frame, reader.lengthEnd(end), resource)
    } else reader.skip(tag & 7, end)
  }
}

function decodeScopeRows(frame: Frame, end: number, resource: Resource | string): void {
  const { reader, builder, visitor, at } = frame
  at[1]++
  at[2] = -1
  const head = readHead(reader, end)
  let problem: string | undefined
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag !== 0x12) {
      reader.skip(tag & 7, end)
      continue
    }
    const stop = reader.lengthEnd(end)
    at[2]++
    if (problem === undefined) {
      const scope = decodeScope(reader, head)
      problem = typeof resource === 'string' ? resource : typeof scope === 'string' ? scope : ''
      if (problem === '') use(builder, resource as Resource, scope as Scope)
    }
    const wrong = problem === '' ? visitor.row(reader, stop) : problem
    if (wrong !== '') reject(frame, wrong)
    reader.at = stop
  }
}

function use(builder: EnvelopeBuilder, resource: Resource, scope: Scope): void {
  if (builder.resources.at(-1) !== resource) builder.resources.push(resource)
  if (builder.scopes.at(-1) !== scope) builder.scopes.push(scope)
}

function reject({ rejections, visitor, at }: Frame, problem: string): void {
  if (rejections.rejected++ > 0) {
    if (rejections.rejected > rowsMax) throw tooManyRejected(rejections.rejectedReason)
    return
  }
  const place = visitor.levels.map((level, depth) => `${level}[${at[depth]}]`).join('.')
  rejections.rejectedReason = `${place}: ${problem}`
}

function readHead(reader: WireReader, end: number): Head {
  const begin = reader.at
  const head: Head = { start: begin, end: begin, schemaUrl: '' }
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x0a) {
      head.end = reader.lengthEnd(end)
      head.start = reader.at
      reader.at = head.end
    } else if (tag === 0x1a) {
      head.schemaUrl = readText(reader, reader.lengthEnd(end), 'schema_url')
    } else reader.skip(tag & 7, end)
  }
  reader.at = begin
  return head
}
