/** What can be wrong with a span or log record, worded the same for protobuf and JSON. */

import { InputError } from '../../base/errors.ts'
import { rowsMax } from '../../model/span-batch.ts'

/** A request may have this many invalid rows; checking still more would only keep others waiting. */
export function tooManyRejected(reason: string): InputError {
  const text = `cannot take a request of more than ${rowsMax} wrong rows; the first: ${reason}`
  return new InputError('too_large', text)
}

/** Enums are open in proto3; a byte can hold every value that the specification has or is likely to get. */
export const enumMax = 127

export function enumProblem(what: string): string {
  return `${what} is not in 0 … ${enumMax}`
}

export function idProblem(what: string, length: number, got: number): string {
  return got === length ? `${what} is all zero` : `${what} has ${got} bytes, not ${length}`
}

export function timeProblem(what: string): string {
  return `${what} is outside 1970-01-01 … 2262-04-11 (63 bits of nanoseconds)`
}
