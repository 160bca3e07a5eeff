/** Values to filter by, and how many of the matching spans have each. */
import type { SpanQuery } from './query.ts'

export interface FacetsSearch {
  readonly query: SpanQuery
  /** The maximum number of values of each facet. */
  readonly limit: number
}

export interface Facets {
  /** Facets without a value are left out. */
  readonly facets: readonly Facet[]
  /** The number of spans counted, at most `facetSpansMax`. At that number, more may match. */
  readonly spans: number
  /** Where the search for matches began, when that is not the start of the range: older spans were not searched. */
  readonly sinceNs: bigint | undefined
}

export interface Facet {
  /** `service`, `operation`, `status`, or an attribute key as a filter takes it. */
  readonly key: string
  /** Most spans first. */
  readonly values: readonly FacetValue[]
  /** The number of different values among the counted spans. */
  readonly distinct: number
}

export interface FacetValue {
  readonly value: string
  readonly spans: number
  readonly errors: number
}

/** The maximum number of matching spans that are counted: some 50 ms of work. */
export const facetSpansMax = 100_000

/** An attribute key as a filter takes it: a key with another meaning there gets its scope, such as `span.status`. */
export function facetKeyOf(attributeKey: string): string {
  return /^(service|operation|status)$|^(span|resource)\./.test(attributeKey) ? `span.${attributeKey}` : attributeKey
}
