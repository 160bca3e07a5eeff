import assert from 'node:assert/strict'
import { exceptions, type StyleRule } from './exceptions.ts'

export interface Fault {
  readonly path: string
  readonly message: string
}

/** Fails with every fault that has no exception, and with every exception that excuses nothing. */
export function assertNoFaults(rule: StyleRule, faults: readonly Fault[]): void {
  const excused = new Set(exceptions.filter((each) => each.rule === rule).map((each) => each.path))
  const faulty = new Set(faults.map((fault) => fault.path))
  const lines = [
    ...faults.filter((fault) => !excused.has(fault.path)).map((fault) => `${fault.path}: ${fault.message}`),
    ...[...excused]
      .filter((path) => !faulty.has(path))
      .map((path) => `${path}: its exception from ${rule} is not needed`),
  ]
  assert.equal(lines.length, 0, `\n${lines.join('\n')}`)
}
