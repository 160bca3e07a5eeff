/** The SQL that stores a block from a file. */
import { randomUUID } from 'node:crypto'
import type { Block } from '../engine.ts'
import { printText } from '../literal.ts'

/** Table for a block that may be stored already. It belongs to the session, so no other one sees it. */
const repeatedBlock = 'repeated_block'

/**
 * The statements that store a block, to be run in order in one session. `source` is what the block's bytes are selected
 * from; it is read once. If a statement fails, `dropRepeated` must be run before the next block.
 *
 * A plain insert is one statement and takes the token. A repeated block goes into a temporary table first, so that the
 * engine can look up which of its rows the table has. The token would not do: the engine notes the token of a part
 * before it gives the part its name, and does not sync that note. After a kill between the two it refuses rows that it
 * does not have. After a power cut it may take rows that it has. What the table holds is never in doubt.
 */
export function insertStatements(
  { table, structure, token, storedIf, settings = {} }: Block,
  source: string,
): string[] {
  const common = { ...settings, max_partitions_per_insert_block: 0 }
  if (storedIf === undefined) {
    return [
      `INSERT INTO ${table} SELECT * FROM ${source} ${printSettings({ insert_deduplication_token: printText(token), ...common })}`,
    ]
  }
  const row = `(${storedIf.join(', ')})`
  const [time] = storedIf
  return [
    `CREATE TEMPORARY TABLE ${repeatedBlock} (${structure}) ENGINE = Memory`,
    `INSERT INTO ${repeatedBlock} SELECT * FROM ${source}`,
    `INSERT INTO ${table} SELECT * FROM ${repeatedBlock} WHERE ${row} NOT IN (
      SELECT ${row} FROM ${table}
      WHERE ${time} >= (SELECT min(${time}) FROM ${repeatedBlock}) AND ${time} <= (SELECT max(${time}) FROM ${repeatedBlock})
        AND trace_id IN (SELECT trace_id FROM ${repeatedBlock}) AND ${row} IN (SELECT ${row} FROM ${repeatedBlock}))
      ${printSettings({ insert_deduplication_token: printText(`${token}-${randomUUID()}`), ...common })}`,
    dropRepeated,
  ]
}

export const dropRepeated = `DROP TEMPORARY TABLE IF EXISTS ${repeatedBlock}`

/** Where the embedded engine reads a block from. */
export function fileSource(file: string, structure: string): string {
  return `file(${printText(file)}, Native, '${structure}')`
}

/** The clause `SETTINGS …`; values are printed as they are. */
export function printSettings(settings: Readonly<Record<string, string | number>>): string {
  const list = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  return list.length === 0 ? '' : `SETTINGS ${list.join(', ')}`
}
