/**
 * Fields beside a row's own ids, from the wire: a wrong value is stored as "not given" rather than that its row is lost,
 * and counted as a repair.
 */
import { noteRepair } from '../repairs.ts'
import { enumMax, enumProblem, idProblem } from './problem.ts'
import type { WireReader } from './wire.ts'

/**
 * Reads the id in [reader.at, stop) into `to`. None and all zero are the same. A shorter one is a number that lost its
 * leading zeros; of a longer one nothing is kept.
 */
export function readLooseId(reader: WireReader, stop: number, to: Uint8Array, what: string): void {
  const length = stop - reader.at
  to.fill(0)
  if (length > 0 && length !== to.length) noteRepair(idProblem(what, to.length, length))
  if (length <= to.length) to.set(reader.bytes.subarray(reader.at, stop), to.length - length)
  reader.at = stop
}

/** Enums are open in proto3; 0, which stands for "unspecified" in all of them, when a byte cannot hold the number. */
export function readEnum(reader: WireReader, end: number, what: string): number {
  const value = reader.varint32(end)
  if (value <= enumMax && reader.high === 0) return value
  noteRepair(enumProblem(what))
  return 0
}
