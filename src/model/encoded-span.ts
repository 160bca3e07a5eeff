/** One span as its sender encoded it, cut out of a request, with its resource and scope there. */
import type { Resource, Scope } from './resource.ts'

export interface EncodedSpan {
  readonly bytes: Uint8Array
  readonly resource: Resource
  readonly scope: Scope
}
