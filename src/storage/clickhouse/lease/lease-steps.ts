/**
 * The steps of a lease as rows of the table `leases`. A step is added by an insert whose deduplication token is made of the name
 * and the number of the step. The engine keeps the first insert with a token and drops the others, so of all who try to add
 * the same step exactly one succeeds (docs/adr/0022-lease-by-steps.md).
 */
import type { Engine } from '../engine.ts'

export type LeaseEngine = Pick<Engine, 'query' | 'execute'>

export interface LeaseStep {
  /** 1 for the first step of a name, then one more each time. */
  readonly step: number
  readonly generation: number
  /** Random text of the insert that made the step. */
  readonly claim: string
  /** How long the step holds, from the start of its insert. */
  readonly ttlMs: number
  readonly released: boolean
}

export interface NewStep extends Omit<LeaseStep, 'generation'> {
  readonly name: string
  /** The generation of the holder that renews or releases; `undefined` for a new holder, which gets a higher one. */
  readonly generation: number | undefined
  /** The generation of the step before; 0 when there is none. */
  readonly lastGeneration: number
}

/** The newest step; `undefined` when nobody ever had the lease. */
export async function readNewestStep(engine: LeaseEngine, name: string): Promise<LeaseStep | undefined> {
  const [row] = await engine.query<[step: string, generation: string, claim: string, ttlMs: number, released: boolean]>(
    `SELECT step, generation, claim, ttl_ms, released FROM leases WHERE name = {name:String}
     ORDER BY step DESC, claim LIMIT 1`,
    { parameters: { name } },
  )
  if (row === undefined) return undefined
  const [step, generation, claim, ttlMs, released] = row
  return { step: Number(step), generation: Number(generation), claim, ttlMs, released }
}

/**
 * Adds the step unless another process added one of that number; returns the newest step afterwards. When the result has a
 * lower number than the step, or none, then the engine was killed after it noted the token and before it stored the row: no
 * process can add this step any more, and the next one has to be tried. Rejects when it is not known what became of the insert.
 *
 * The engine's clock gives the first generations their size, so that they are above those of a store that had no leases before.
 */
export async function addStep(engine: LeaseEngine, added: NewStep): Promise<LeaseStep | undefined> {
  const { name, step, claim, ttlMs, released, lastGeneration } = added
  const generation = added.generation ?? `greatest(${lastGeneration + 1}, toUInt64(toUnixTimestamp(now())))`
  const failure = await engine
    .execute(
      `INSERT INTO leases (name, step, generation, claim, ttl_ms, released)
       SETTINGS insert_deduplicate=1, insert_deduplication_token={token:String}, async_insert=0
       VALUES ({name:String}, ${step}, ${generation}, {claim:String}, ${ttlMs}, ${released})`,
      { parameters: { name, claim, token: `${name}-${step}` } },
    )
    .catch((error: unknown) => ({ error }))
  const newest = await readNewestStep(engine, name)
  // The step may be stored all the same.
  if (failure !== undefined && newest?.claim !== claim) throw failure.error
  return newest
}

/** SQL condition: no process got the lease after the holder of this generation. Evaluated by the engine within a statement. */
export function isNewestHolderSql({
  name,
  generation,
}: {
  readonly name: string
  readonly generation: number
}): string {
  return `(SELECT max(generation) FROM leases WHERE name = '${name}') <= ${generation}`
}
