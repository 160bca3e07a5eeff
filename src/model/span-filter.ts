/** Conditions that one span must meet together: the native search, whatever store answers it. */

export interface SpanFilter {
  readonly service?: string
  readonly operation?: string
  /** OTLP status code: 0 unset, 1 ok, 2 error. */
  readonly status?: number
  readonly durationMinNs?: bigint
  readonly durationMaxNs?: bigint
  readonly attributes: readonly AttributeCondition[]
  /** Start time of the span: [startNs, endNs) in nanoseconds since the epoch. */
  readonly startNs?: bigint
  readonly endNs?: bigint
}

export interface AttributeCondition {
  /** Where the key may stand; `any` looks on the span and on its resource. */
  readonly scope: 'any' | 'span' | 'resource'
  readonly key: string
  /** As a person writes it: matches the text, the number or the boolean it spells. */
  readonly value: string
}

/** Whether anything but the time is asked for. */
export function isSelective(filter: SpanFilter): boolean {
  const { service, operation, status, durationMinNs, durationMaxNs, attributes } = filter
  const plain = [service, operation, status, durationMinNs, durationMaxNs]
  return attributes.length > 0 || plain.some((condition) => condition !== undefined)
}
