/** One span as its sender encoded it, taken out of a request, with what stood around it there. */
import type { Resource, Scope } from './resource.ts'

export interface EncodedSpan {
  readonly bytes: Uint8Array
  readonly resource: Resource
  readonly scope: Scope
}
