/**
 * Suggestions of the query box while typing: first fields, then the values of the field. Lists are kept for a minute.
 */
import { printCountOf } from '../model/format.ts'
import { parseTyped, statusValues, valueOf } from '../model/search-filters.ts'
import type { Filter } from '../model/search-filters.ts'
import { pastedTraceId } from '../model/trace-id.ts'
import * as api from './api.ts'
import { exploreRange } from './explore.ts'
import { tracePath } from './trace-url.ts'

export interface Suggestion {
  /** Text of the box once this is chosen; ends in `=` or a comparison sign when a value must follow. */
  readonly text: string
  readonly label: string
  readonly hint: string
  /** Set when choosing it completes a filter. */
  readonly filter: Filter | undefined
  /** Set when choosing it opens another page. */
  readonly path?: string
}

const shownMax = 12
const keptMs = 60_000
const kept = new Map<string, { at: number; value: Promise<readonly Suggestion[]> }>()

function once(key: string, load: () => Promise<readonly Suggestion[]>): Promise<readonly Suggestion[]> {
  const old = kept.get(key)
  if (old && Date.now() - old.at < keptMs) return old.value
  const value = load()
  kept.set(key, { at: Date.now(), value })
  value.catch(() => kept.delete(key))
  return value
}

const fields: readonly Suggestion[] = [
  { text: 'service=', label: 'service', hint: 'service.name', filter: undefined },
  { text: 'operation=', label: 'operation', hint: 'span name', filter: undefined },
  { text: 'status=', label: 'status', hint: 'error, ok, unset', filter: undefined },
  { text: 'duration>', label: 'duration >', hint: 'a span of at least, such as 500ms', filter: undefined },
  { text: 'duration<', label: 'duration <', hint: 'a span of at most, such as 2s', filter: undefined },
]

const quote = (value: string): string => (/[\s"]/.test(value) ? `"${value}"` : value)

function valueOffer(name: string, value: string, hint: string): Suggestion {
  const text = `${name}=${quote(value)}`
  return { text, label: value, hint, filter: parseTyped(text) }
}

/** Suggestions for the text so far. Never rejects: without lists there are no suggestions, but typing still works. */
export async function suggest(text: string, filters: readonly Filter[]): Promise<readonly Suggestion[]> {
  const traceId = pastedTraceId(text)
  if (traceId !== undefined)
    return [{ text, label: 'Open trace', hint: traceId, filter: undefined, path: tracePath(traceId) }]
  const split = /^([^\s=<>≥≤]+)\s*(>=|<=|≥|≤|=|>|<)\s*(?!\s)"?(.*?)"?$/.exec(text.trim())
  try {
    if (!split) return narrow([...fields, ...(await attributeOffers())], text.trim())
    return narrow(await valueOffers(split[1]!, split[2]!, filters), split[3]!)
  } catch {
    return split ? [] : narrow(fields, text.trim())
  }
}

function narrow(offers: readonly Suggestion[], typed: string): Suggestion[] {
  const wanted = typed.toLowerCase()
  const rank = ({ label }: Suggestion): number =>
    label.toLowerCase().startsWith(wanted) ? 0 : label.toLowerCase().includes(wanted) ? 1 : 2
  return offers
    .map((offer, at) => ({ offer, at, rank: rank(offer) }))
    .filter(({ rank }) => rank < 2)
    .sort((a, b) => a.rank - b.rank || a.at - b.at)
    .slice(0, shownMax)
    .map(({ offer }) => offer)
}

function attributeOffers(): Promise<readonly Suggestion[]> {
  const { fromMs, toMs } = exploreRange.value
  return once('keys', async () => {
    const { keys } = await api.attributeKeys(fromMs, toMs)
    return keys
      .filter(({ key, scope }) => scope !== 'event' && key !== 'service.name')
      .map(({ key, scope, type, spans }) => ({
        text: key + '=',
        label: key,
        hint: `${scope} ${type}, ${printCountOf(spans, 'span')}`,
        filter: undefined,
      }))
  })
}

function valueOffers(name: string, sign: string, filters: readonly Filter[]): Promise<readonly Suggestion[]> {
  const { fromMs, toMs } = exploreRange.value
  if (name === 'duration') {
    const texts = ['10ms', '50ms', '100ms', '500ms', '1s', '5s']
    return Promise.resolve(
      texts.map((value) => ({
        text: name + sign + value,
        label: value,
        hint: '',
        filter: parseTyped(name + sign + value),
      })),
    )
  }
  if (name === 'status') return Promise.resolve(statusValues.map((value) => valueOffer(name, value, '')))
  if (name === 'service') {
    return once('services', async () =>
      (await api.services(fromMs, toMs)).services.map(({ name: value, spans }) =>
        valueOffer('service', value, printCountOf(spans, 'span')),
      ),
    )
  }
  if (name === 'operation') return operationOffers(valueOf(filters, 'service'))
  return once('values ' + name, async () =>
    (await api.attributeValues(name, fromMs, toMs)).values.map(({ value, spans }) =>
      valueOffer(name, value, printCountOf(spans, 'span')),
    ),
  )
}

const servicesAskedMax = 8

async function operationOffers(service: string | undefined): Promise<readonly Suggestion[]> {
  const { fromMs, toMs } = exploreRange.value
  return once('operations ' + (service ?? ''), async () => {
    const names =
      service === undefined
        ? (await api.services(fromMs, toMs)).services.slice(0, servicesAskedMax).map(({ name }) => name)
        : [service]
    const answers = await Promise.all(
      names.map(async (name) => ({ name, ...(await api.operations(name, fromMs, toMs)) })),
    )
    const seen = new Map<string, Suggestion>()
    for (const { name, operations } of answers) {
      for (const operation of operations) {
        if (!seen.has(operation.name))
          seen.set(
            operation.name,
            valueOffer('operation', operation.name, `${name}, ${printCountOf(operation.calls, 'call')}`),
          )
      }
    }
    return [...seen.values()]
  })
}
