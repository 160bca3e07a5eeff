/**
 * Reads fields other than a row's own ids, from the wire: an invalid value is stored as "not given" and counted as a
 * repair, so that its row is not lost.
 */
import { noteRepair } from '../repairs.ts'
import { enumMax, enumProblem, idProblem } from './problem.ts'
import type { WireReader } from './wire.ts'

/**
 * Reads the id in [reader.at, stop) into `to`. Absent and all zero are the same. A shorter id is a number that lost its
 * leading zeros; a longer one is dropped.
 */
export function readLooseId(reader: WireReader, stop: number, to: Uint8Array, what: string): void {
  const length = stop - reader.at
  to.fill(0)
  if (length > 0 && length !== to.length) noteRepair(idProblem(what, to.length, length))
  if (length <= to.length) to.set(reader.bytes.subarray(reader.at, stop), to.length - length)
  reader.at = stop
}

/** Enums are open in proto3. A number that a byte cannot hold becomes 0, which means "unspecified" in all of them. */
export function readEnum(reader: WireReader, end: number, what: string): number {
  const value = reader.varint32(end)
  if (value <= enumMax && reader.high === 0) return value
  noteRepair(enumProblem(what))
  return 0
}
