/** Where the next page of a search begins, as opaque text: base64url of `time.traceId`. */
import { InputError } from '../../base/errors.ts'
import type { TracePlace } from '../../model/trace-search.ts'

export function printCursor(place: TracePlace): string {
  return Buffer.from(`${place.value}.${place.traceId}`).toString('base64url')
}

export function parseCursor(text: string): TracePlace {
  const match = /^(-?\d{1,19})\.([0-9a-f]{32})$/.exec(Buffer.from(text, 'base64url').toString('latin1'))
  if (match === null) {
    throw new InputError('bad_request', `cursor "${text}" is not the nextCursor of an earlier answer`, { at: 'cursor' })
  }
  return { value: BigInt(match[1]!), traceId: match[2]! }
}
