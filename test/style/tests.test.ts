import { test } from 'node:test'
import { isTest, linesOf, paths } from './checkout.ts'
import { assertNoFaults, type Fault } from './faults.ts'

/** A call or an option by which node:test runs only some tests. */
const leavesOut = /\b(test|it|describe|suite|t|context)\.(only|skip|todo)\(|\b(only|skip|todo): true\b/

test('no test is left out', () => {
  const faults: Fault[] = []
  for (const path of paths.filter((each) => isTest(each) && /\.tsx?$/.test(each))) {
    linesOf(path).forEach((line, index) => {
      if (leavesOut.test(line)) faults.push({ path, message: `line ${index + 1} leaves tests out` })
    })
  }
  assertNoFaults('tests', faults)
})
