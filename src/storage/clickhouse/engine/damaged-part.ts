/**
 * A merged part that cannot be read. When the disk fills up in the middle of a merge, the engine may finish the part with an
 * empty file and takes the parts it was made of out of use. They stay in the folder for some minutes (`old_parts_lifetime`),
 * and come back into use at the next start of the engine, if the merged part is gone by then.
 *   folder of a part = PARTITION _ FIRST BLOCK _ LAST BLOCK _ LEVEL [_ MUTATION], with its number of rows in `count.txt`
 */
import fs from 'node:fs'
import path from 'node:path'
import { messageOf } from '../../../base/errors.ts'

/** CORRUPTED_DATA, CHECKSUM_DOESNT_MATCH, CANNOT_READ_ALL_DATA, ATTEMPT_TO_READ_AFTER_EOF (ErrorCodes.cpp of ClickHouse). */
const damageCodes = new Set([246, 40, 33, 32])

interface Part {
  readonly name: string
  readonly partition: string
  readonly first: number
  readonly last: number
  readonly level: number
}

/** The folder of the merged part below `dir` that an error of the engine says is damaged; `undefined` for other errors. */
export function damagedPartOf(error: unknown, dir: string): string | undefined {
  const message = messageOf(error)
  if (!damageCodes.has(Number(/Code: (\d+)/.exec(message)?.[1] ?? 0))) return undefined
  const folder = /'?(\/[^\s']+)\/[^\s/']+'?/.exec(message)?.[1]
  if (folder === undefined || !folder.startsWith(`${path.resolve(dir)}/store/`)) return undefined
  const part = parsePart(path.basename(folder))
  return part !== undefined && part.level > 0 ? folder : undefined
}

/**
 * Whether the parts it was made of are still there, with as many rows. A full disk may leave the damaged part's own number of
 * rows empty as well. Then the sources must reach from its first block to its last.
 */
export function hasSources(folder: string): boolean {
  const table = path.dirname(folder)
  const damaged = parsePart(path.basename(folder))
  if (damaged === undefined || !fs.existsSync(folder)) return false
  const sources = sourcesOf(damaged, fs.readdirSync(table))
  const counts = sources.map(({ name }) => rowsOf(path.join(table, name)))
  if (sources.length === 0 || !counts.every((rows) => rows > 0)) return false
  const own = rowsOf(folder)
  if (own > 0) return counts.reduce((sum, rows) => sum + rows, 0) === own
  return sources.some(({ first }) => first === damaged.first) && sources.some(({ last }) => last === damaged.last)
}

/** Moves the part out of use, into the folder `detached` of its table. Only while no engine has the folder open. */
export function putAside(folder: string): void {
  const detached = path.join(path.dirname(folder), 'detached')
  fs.mkdirSync(detached, { recursive: true })
  fs.renameSync(folder, path.join(detached, `damaged_${path.basename(folder)}_${Date.now()}`))
}

/** The largest parts within the damaged one, which do not overlap. */
function sourcesOf(damaged: Part, names: readonly string[]): Part[] {
  const within = names
    .flatMap((name) => parsePart(name) ?? [])
    .filter(
      (part) =>
        part.name !== damaged.name &&
        part.partition === damaged.partition &&
        part.first >= damaged.first &&
        part.last <= damaged.last,
    )
    .sort((a, b) => b.last - b.first - (a.last - a.first) || b.level - a.level)
  const chosen: Part[] = []
  for (const part of within) {
    if (chosen.every((other) => part.last < other.first || part.first > other.last)) chosen.push(part)
  }
  return chosen
}

function parsePart(name: string): Part | undefined {
  const match = /^([^_]+)_(\d+)_(\d+)_(\d+)(?:_\d+)?$/.exec(name)
  if (match === null) return undefined
  const [first, last, level] = match.slice(2, 5).map(Number) as [number, number, number]
  return { name, partition: match[1]!, first, last, level }
}

function rowsOf(folder: string): number {
  try {
    return Number(fs.readFileSync(path.join(folder, 'count.txt'), 'utf8'))
  } catch {
    return NaN
  }
}
