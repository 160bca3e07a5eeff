/** Runs of a property that asks the store, which are most of the time of the unit tests: a quarter in the fast loop. */
export function propertyRuns(full: number): number {
  return process.env.CLEW_FAST_LOOP === '1' ? Math.ceil(full / 4) : full
}
