/**
 * Traces for scenarios of queries, drawn as text: a span a line, indented under its parent.
 *
 *     name service start+duration [kind] [ok|error] [message="…"] [id=hex] [parent=hex] [more]
 *
 *     .key=value                                  an attribute of the span
 *     resource.key=value                          beside service.name
 *     instrumentation:name=… :version=…           and instrumentation.key=value
 *     event:name@offset event.key=value           an event, and attributes of the event before
 *     link:traceId/spanId link.key=value          a link, likewise
 *
 * Values are texts, or by their form: 5, 1.5, true, [a,b]. Ids are hex and padded; a span's own is its line's number. Times
 * are from `origin`. All spans are of trace 1.
 */
import { parseDuration } from '../../src/base/duration.ts'
import { printTypedAttributes, type Attribute, type AttributeValue } from '../../src/model/attributes.ts'
import { spanKinds, statusCodes } from '../../src/model/span-batch.ts'
import type { SpanEventRow, SpanLinkRow, SpanRow } from '../../src/model/span-row.ts'

const origin = 1_700_000_000_000_000_000n

interface Open {
  readonly indent: number
  readonly id: string
}

export function drawTrace(text: string): SpanRow[] {
  const above: Open[] = []
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, i) => {
      const indent = line.length - line.trimStart().length
      while (above.length > 0 && above.at(-1)!.indent >= indent) above.pop()
      const row = drawSpan(line.trim(), above.at(-1)?.id ?? '', hex((i + 1).toString(16), 16))
      above.push({ indent, id: row.spanId })
      return row
    })
}

function drawSpan(line: string, parent: string, ownId: string): SpanRow {
  const words = line.match(/[^\s"]*"[^"]*"|\S+/g)!
  const [name, service, times, ...rest] = words as [string, string, string, ...string[]]
  const [at, lasts] = times.split('+').map((text) => parseDuration(text)!) as [bigint, bigint]
  const start = origin + at
  const parts = partsOf(rest, start)
  const { status, kind, id, parentId, message } = parts
  return {
    traceId: hex('1', 32),
    spanId: id ?? ownId,
    parentSpanId: parentId ?? parent,
    traceState: '',
    flags: 0,
    name,
    kind: kind ?? 1,
    startTimeUnixNano: start,
    durationNano: lasts,
    attributes: parts.attributes.span,
    droppedAttributesCount: 0,
    events: parts.events,
    droppedEventsCount: 0,
    links: parts.links,
    droppedLinksCount: 0,
    statusCode: status ?? 0,
    statusMessage: message ?? '',
    resource: `{"attributes":${printTypedAttributes([attributeOf('service.name', service), ...parts.attributes.resource])}}`,
    scope: scopeOf(parts),
  }
}

interface Parts {
  kind?: number
  status?: number
  id?: string
  parentId?: string
  message?: string
  scopeName?: string
  scopeVersion?: string
  readonly attributes: {
    readonly span: Attribute[]
    readonly resource: Attribute[]
    readonly instrumentation: Attribute[]
  }
  readonly events: SpanEventRow[]
  readonly links: SpanLinkRow[]
}

function partsOf(words: readonly string[], start: bigint): Parts {
  const parts: Parts = { attributes: { span: [], resource: [], instrumentation: [] }, events: [], links: [] }
  for (const word of words) {
    const kind = (spanKinds as readonly string[]).indexOf(word)
    const status = (statusCodes as readonly string[]).indexOf(word)
    if (kind >= 0) parts.kind = kind
    else if (status >= 0) parts.status = status
    else addPart(parts, word, start)
  }
  return parts
}

function addPart(parts: Parts, word: string, start: bigint): void {
  const [, scope = '', kind = '', key = '', value = ''] = /^(\w*)([.:=])([^=@/]*)(?:[=@/](.*))?$/.exec(word) ?? []
  const attribute = (): Attribute => attributeOf(key, value)
  switch (scope + kind) {
    case '.':
      return void parts.attributes.span.push(attribute())
    case 'resource.':
      return void parts.attributes.resource.push(attribute())
    case 'instrumentation.':
      return void parts.attributes.instrumentation.push(attribute())
    case 'event.':
      return void (parts.events.at(-1)!.attributes as Attribute[]).push(attribute())
    case 'link.':
      return void (parts.links.at(-1)!.attributes as Attribute[]).push(attribute())
    case 'event:': {
      const event = {
        name: key,
        timeUnixNano: start + parseDuration(value)!,
        attributes: [],
        droppedAttributesCount: 0,
      }
      return void parts.events.push(event)
    }
    case 'link:': {
      const link = { traceId: hex(key, 32), spanId: hex(value, 16), traceState: '', attributes: [], flags: 0 }
      return void parts.links.push({ ...link, droppedAttributesCount: 0 })
    }
    case 'instrumentation:':
      parts[key === 'name' ? 'scopeName' : 'scopeVersion'] = value
      return
    case 'id=':
      parts.id = hex(key, 16)
      return
    case 'parent=':
      parts.parentId = hex(key, 16)
      return
    case 'message=':
      parts.message = key.replaceAll('"', '')
      return
    default:
      throw new Error(`cannot draw ${word}`)
  }
}

function scopeOf({ scopeName, scopeVersion, attributes }: Parts): string {
  if (scopeName === undefined && attributes.instrumentation.length === 0) return ''
  const own = attributes.instrumentation.length === 0 ? '{}' : printTypedAttributes(attributes.instrumentation)
  return `{"name":${JSON.stringify(scopeName ?? '')},"version":${JSON.stringify(scopeVersion ?? '')},"attributes":${own}}`
}

function attributeOf(key: string, text: string): Attribute {
  return { key, value: valueOf(text) }
}

function valueOf(text: string): AttributeValue {
  if (text.startsWith('[')) return { type: 'array', value: text.slice(1, -1).split(',').map(valueOf) }
  if (text === 'true' || text === 'false') return { type: 'bool', value: text === 'true' }
  if (/^-?\d+$/.test(text)) return { type: 'int', value: BigInt(text) }
  if (/^-?\d+\.\d+$/.test(text)) return { type: 'double', value: Number(text) }
  return { type: 'string', value: text.replaceAll('"', '') }
}

function hex(digits: string, length: number): string {
  return digits.padStart(length, '0')
}
