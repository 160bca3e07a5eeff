/** Values to filter by, over the spans that match, and how many spans have each. */
import type { SpanQuery } from './query.ts'

export interface FacetsSearch {
  readonly query: SpanQuery
  /** Values of each facet. */
  readonly limit: number
}

export interface Facets {
  /** Facets without a value are left out. */
  readonly facets: readonly Facet[]
  /** Spans counted, at most `facetSpansMax`; when it is that many, more may match. */
  readonly spans: number
  /** Where the search for matches began, when that is not the start of the range: older spans were not looked at. */
  readonly sinceNs: bigint | undefined
}

export interface Facet {
  /** `service`, `operation`, `status`, or an attribute key as a filter takes it. */
  readonly key: string
  /** Most spans first. */
  readonly values: readonly FacetValue[]
  /** Different values among the spans looked at. */
  readonly distinct: number
}

export interface FacetValue {
  readonly value: string
  readonly spans: number
  readonly errors: number
}

/** Matching spans counted: some 50 ms of work. */
export const facetSpansMax = 100_000

/** An attribute key as a filter takes it: one that means something else there gets its scope, such as `span.status`. */
export function facetKeyOf(attributeKey: string): string {
  return /^(service|operation|status)$|^(span|resource)\./.test(attributeKey) ? `span.${attributeKey}` : attributeKey
}
