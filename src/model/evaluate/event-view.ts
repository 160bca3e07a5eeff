/** An event as the evaluator reads it: a log record, or an event of a span. */
import { fromAnyValueJson, type AnyValueJson } from '../attributes.ts'
import { bodyTypes } from '../event-batch.ts'
import type { Intrinsic } from '../query.ts'
import { severityOf } from '../severity.ts'
import type { EventRow } from '../span-row.ts'
import type { View } from './evaluate.ts'
import type { Held } from './held-value.ts'
import { int, once, originOf, text, valuesUnder, type Origin } from './view-parts.ts'

export function eventView(event: EventRow): View {
  const resource = once(() => originOf(event.resource))
  const scope = once(() => originOf(event.scope))
  return {
    own: 'event',
    body: event.bodyType === bodyTypes.json ? fromAnyValueJson(JSON.parse(event.body) as AnyValueJson) : undefined,
    hasWord: (word) => textsOf(event).some((held) => containsWord(held, word)),
    intrinsic: (name) => intrinsicOf(name, event, scope),
    attribute(place, key) {
      if (place === 'event') return valuesUnder(key, event.attributes)
      if (place === 'resource') return valuesUnder(key, resource().attributes)
      return place === 'instrumentation' ? valuesUnder(key, scope().attributes) : []
    },
  }
}

function intrinsicOf(name: Intrinsic['name'], event: EventRow, scope: () => Origin): Held[] {
  switch (name) {
    case 'body':
      return event.bodyType === bodyTypes.empty ? [] : [text(event.body)]
    case 'severity': {
      const severity = severityOf(event.severityNumber, event.severityText)
      return severity === 0 ? [] : [int(BigInt(severity))]
    }
    case 'severityText':
      return [text(event.severityText)]
    case 'type':
      return [text(event.type)]
    case 'protocol':
      return [text(event.protocol)]
    case 'service':
      return [text(event.service)]
    case 'traceId':
      return event.traceId === '' ? [] : [text(event.traceId)]
    case 'spanId':
      return event.spanId === '' ? [] : [text(event.spanId)]
    case 'time':
      return [int(event.timeUnixNano)]
    case 'instrumentationName':
      return [text(scope().name ?? '')]
    case 'instrumentationVersion':
      return [text(scope().version ?? '')]
    default:
      return []
  }
}

/** The body, and the attributes that are text. */
function textsOf(event: EventRow): string[] {
  return [event.body, ...event.attributes.flatMap(({ value }) => (value.type === 'string' ? [value.value] : []))]
}

/** A text that is split into words only at characters that are not ASCII letters or digits. */
export function isPlainWord(word: string): boolean {
  return /^[A-Za-z0-9]+$/.test(word)
}

/** See `word` in model/query.ts. */
function containsWord(held: string, word: string): boolean {
  if (!isPlainWord(word)) return held.toLowerCase().includes(word.toLowerCase())
  const anyCase = word.replace(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`)
  return new RegExp(`(?<!${inWord})${anyCase}(?!${inWord})`, 'u').test(held)
}

const inWord = '[A-Za-z0-9\\u0080-\\u{10ffff}]'
