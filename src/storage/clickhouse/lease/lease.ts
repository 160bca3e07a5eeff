/** The lease for what one process at a time does with the store: rolling up figures, joining parts, dropping old data. */
import type { Lease } from '../../../model/lease.ts'
import type { Engine } from '../engine.ts'
import { takeTableLease } from './table-lease.ts'

const name = 'upkeep'

export interface LeaseOptions {
  readonly engine: Engine
  readonly onProblem: (message: string, error: unknown) => void
}

/** Resolves when this process has the lease: at once where no other process can open the store. */
export async function takeUpkeepLease({ engine, onProblem }: LeaseOptions): Promise<Lease> {
  if (!engine.abilities.exclusive) return await takeTableLease({ engine, name, onProblem })
  return exclusiveLease(await nextGeneration(engine))
}

/** The lock of the folder is the lease (folder-lock.ts). It is lost with the process. */
function exclusiveLease(generation: number): Lease {
  const lost = new AbortController()
  return {
    name,
    generation,
    isHeld: () => !lost.signal.aborted,
    lost: lost.signal,
    release() {
      lost.abort(new Error(`the lease ${name} is released`))
      return Promise.resolve()
    },
  }
}

/** Nothing is written down at the start, so that a store on a full disk opens: what was rolled up tells the last one. */
async function nextGeneration(engine: Engine): Promise<number> {
  const [row] = await engine.query<[generation: string]>(
    `SELECT greatest(toUInt64(toUnixTimestamp(now())), (SELECT max(generation) FROM leases) + 1,
       bitShiftRight((SELECT max(generation) FROM rollup_buckets), ${generationShift}) + 1)`,
  )
  return Number(row![0])
}

/** The generation of a rollup has that of the lease in its upper half, and counts the runs under the lease in its lower half. */
export const generationShift = 32
