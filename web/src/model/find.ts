/**
 * Find in a trace. A span must match all words. Each word is searched, ignoring case, in the span's name, service, ids,
 * attributes, events and status message. `key=value` requires that attribute (or `service`, `name`, `status`, `kind`)
 * to contain the value; quotes keep spaces together.
 */
import { kindNames, printValue, serviceName, statusError, statusOk } from './otlp-json.ts'
import type { KeyValue, OtlpResource } from './otlp-json.ts'
import type { SourceSpan, SpanList } from './span-list.ts'

export interface FindTerm {
  readonly key: string
  readonly text: string
}

export function parseFind(text: string): FindTerm[] {
  const terms: FindTerm[] = []
  for (const [, key, quoted, plain] of text.matchAll(/(?:([^\s="]+)=)?(?:"([^"]*)"?|([^\s"]+))/g)) {
    const wanted = (quoted ?? plain ?? '').toLowerCase()
    if (wanted !== '' || key) terms.push({ key: key ?? '', text: wanted })
  }
  return terms
}

/** 1 for each span of the list that every term matches; `undefined` for an empty text. */
export function findSpans(list: SpanList, text: string): Uint8Array | undefined {
  const terms = parseFind(text)
  if (terms.length === 0) return undefined
  const resources = new Map<OtlpResource | undefined, readonly boolean[]>()
  return Uint8Array.from(list.sources, (source) => {
    let byResource = resources.get(source.resource)
    if (!byResource) {
      byResource = terms.map((term) => matchesAttributes(source.resource?.attributes, term))
      resources.set(source.resource, byResource)
    }
    return terms.every((term, i) => byResource[i] || matchesSpan(source, term)) ? 1 : 0
  })
}

function matchesSpan({ span, resource }: SourceSpan, term: FindTerm): boolean {
  const includes = (value: string | undefined): boolean => (value ?? '').toLowerCase().includes(term.text)
  if (term.key !== '') {
    const known = intrinsic(span, resource, term.key)
    return (known !== undefined && includes(known)) || matchesAttributes(span.attributes, term)
  }
  return (
    includes(span.name) ||
    includes(serviceName(resource)) ||
    includes(span.status?.message) ||
    span.spanId?.toLowerCase() === term.text ||
    matchesAttributes(span.attributes, term) ||
    (span.events ?? []).some((event) => includes(event.name) || matchesAttributes(event.attributes, term))
  )
}

function intrinsic(span: SourceSpan['span'], resource: OtlpResource | undefined, key: string): string | undefined {
  const code = span.status?.code
  switch (key) {
    case 'name':
    case 'operation':
      return span.name
    case 'service':
      return serviceName(resource)
    case 'status':
      return code === statusError ? 'error' : code === statusOk ? 'ok' : 'unset'
    case 'kind':
      return kindNames[span.kind ?? 0]
    default:
      return undefined
  }
}

function matchesAttributes(attributes: readonly KeyValue[] | undefined, { key, text }: FindTerm): boolean {
  for (const attribute of attributes ?? []) {
    if (key !== '' && attribute.key !== key) continue
    if (printValue(attribute.value).toLowerCase().includes(text)) return true
    if (key === '' && attribute.key.toLowerCase().includes(text)) return true
  }
  return false
}
