/**
 * Parts that the engine could not read when it opened its tables. It moves them into the folder `detached` of their
 * table and continues without them. It does not say so anywhere that a user looks, so their rows would just be missing.
 */
import fs from 'node:fs'
import path from 'node:path'
import type { Engine } from './engine.ts'

export interface DamagedPart {
  readonly table: string
  /** The folder that the part was moved to. */
  readonly folder: string
  /** `undefined` when the part no longer says how many rows it had. */
  readonly rows: number | undefined
}

/** Reads the damaged parts, and reports them if there are any. */
export async function tellDamagedParts(
  engine: Engine,
  onProblem: (message: string, error: unknown) => void,
): Promise<DamagedPart[]> {
  const parts = await readDamagedParts(engine)
  const message = printDamagedParts(parts)
  if (message !== undefined) onProblem(message, undefined)
  return parts
}

/**
 * Damaged parts that are still in their folders, also from earlier starts. Parts whose rows are there all the same are
 * left out: the sources of a merged part are kept for some minutes, and are used again when the merged part cannot be
 * read.
 */
async function readDamagedParts(engine: Engine): Promise<DamagedPart[]> {
  const damaged = await engine.query<[string, string, string, string, string]>(
    `SELECT table, path, partition_id, min_block_number, max_block_number FROM system.detached_parts
     WHERE database = currentDatabase() AND startsWith(ifNull(reason, ''), 'broken') ORDER BY table, path`,
  )
  if (damaged.length === 0) return []
  const active = await engine.query<[string, string, string, string, string]>(
    `SELECT table, partition_id, min_block_number, max_block_number, rows FROM system.parts
     WHERE active AND database = currentDatabase()`,
  )
  return damaged.flatMap(([table, folder, partition, first, last]) => {
    const within = active.filter(
      (part) =>
        part[0] === table &&
        part[1] === partition &&
        Number(part[2]) >= Number(first) &&
        Number(part[3]) <= Number(last),
    )
    const present = within.reduce((sum, part) => sum + Number(part[4]), 0)
    const rows = rowsOf(folder)
    return present > 0 && present === rows ? [] : [{ table, folder, rows }]
  })
}

function rowsOf(folder: string): number | undefined {
  try {
    const text = fs.readFileSync(path.join(folder, 'count.txt'), 'utf8')
    return /^\d+$/.test(text) ? Number(text) : undefined
  } catch {
    return undefined
  }
}

/** One sentence for all of them; `undefined` when there are none. */
export function printDamagedParts(parts: readonly DamagedPart[]): string | undefined {
  const first = parts[0]
  if (first === undefined) return undefined
  const tables = [...new Set(parts.map(({ table }) => table))].join(', ')
  const counted = parts.reduce((sum, { rows = 0 }) => sum + rows, 0)
  const many = parts.length === 1 ? '1 damaged part' : `${parts.length} damaged parts`
  const more = parts.length === 1 ? first.folder : `${first.folder} and others beside it`
  return `the store left out ${many} of ${tables} with ${counted === 0 ? 'an unknown number of' : counted} rows, kept in ${more}; import a backup if you have one, then remove what was kept`
}
