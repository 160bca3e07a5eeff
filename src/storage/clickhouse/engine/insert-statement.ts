/** The SQL that stores a block from a file. */
import { randomUUID } from 'node:crypto'
import type { Block } from '../engine.ts'
import { printText } from '../literal.ts'

/**
 * The plain insert takes the token; a repeated one asks the table what it has. The engine notes the token of a part
 * before it gives the part its name, and does not sync that note: a kill between the two makes it refuse rows it does
 * not have, a power cut may make it take rows it has. What the table holds is never in doubt.
 */
export function insertStatement({ table, structure, token, storedIf }: Block, file: string): string {
  const source = `file(${printText(file)}, Native, '${structure}')`
  if (storedIf === undefined) {
    return `INSERT INTO ${table} SELECT * FROM ${source}
      SETTINGS insert_deduplication_token='${token}', max_partitions_per_insert_block=0`
  }
  const row = `(${storedIf.join(', ')})`
  const [time] = storedIf
  return `INSERT INTO ${table} SELECT * FROM ${source} WHERE ${row} NOT IN (
      SELECT ${row} FROM ${table}
      WHERE ${time} >= (SELECT min(${time}) FROM ${source}) AND ${time} <= (SELECT max(${time}) FROM ${source})
        AND trace_id IN (SELECT trace_id FROM ${source}) AND ${row} IN (SELECT ${row} FROM ${source}))
    SETTINGS insert_deduplication_token='${token}-${randomUUID()}', max_partitions_per_insert_block=0`
}
