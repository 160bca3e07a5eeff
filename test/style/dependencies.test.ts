import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paths, read } from './checkout.ts'
import { assertNoFaults } from './faults.ts'
import { platformOfName, repairLock } from '../../scripts/lock.mjs'

interface Manifest {
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
}

/** Packages that the manifests name, and the manifest. */
const dependencies = paths
  .filter((path) => path.endsWith('package.json') && !path.includes('fixtures/'))
  .flatMap((path) => {
    const { dependencies: needed, devDependencies: tools } = JSON.parse(read(path)) as Manifest
    return Object.keys({ ...needed, ...tools }).map((name) => ({ path, name }))
  })

test('every dependency has a line of reason in docs/dependencies.md', () => {
  const reasons = read('docs/dependencies.md')
  const faults = dependencies
    .filter(({ name }) => !hasReason(reasons, name))
    .map(({ path, name }) => ({ path, message: `${name} has no line in docs/dependencies.md` }))
  assertNoFaults('dependencies', faults)
})

test('every line of reason is for a dependency', () => {
  const path = 'docs/dependencies.md'
  const known = new Set(dependencies.map(({ name }) => name))
  const faults = [...read(path).matchAll(/^\| (`[^|]+`) \|/gm)]
    .flatMap(([, cell = '']) => cell.replaceAll('`', '').split(/,\s*/))
    .filter((name) => !known.has(name))
    .map((name) => ({ path, message: `${name} is in no package.json` }))
  assertNoFaults('dependencies', faults)
})

/** A table row whose first cell is the package, with some words in the second. */
function hasReason(table: string, name: string): boolean {
  return table.split('\n').some((line) => {
    const [, first = '', second = ''] = line.split('|').map((cell) => cell.trim())
    return first.replaceAll('`', '').split(/,\s*/).includes(name) && second.length > 10
  })
}

test('the lock files install on every platform and name no registry', () => {
  const faults = paths
    .filter((path) => path.endsWith('package-lock.json'))
    .flatMap((path) => repairLock(JSON.parse(read(path))).map((message: string) => ({ path, message })))
  assert.deepEqual(faults, [], 'node scripts/lock.mjs repairs this')
})

test('the lock repair knows platforms by name and adds only what is missing', () => {
  assert.deepEqual(platformOfName('@x/lib-linux-arm64-musl'), { os: ['linux'], cpu: ['arm64'], libc: ['musl'] })
  assert.deepEqual(platformOfName('@x/y-linux-arm-gnueabihf')?.cpu, ['arm'])
  assert.equal(platformOfName('lodash'), null)
  const lock = {
    packages: {
      'node_modules/x': {
        resolved: ['https:/', 'example.org', 'x.tgz'].join('/'),
        optionalDependencies: { 'x-darwin-x64': '1.0.0', 'x-win32-x64': '1.0.0' },
      },
      'node_modules/x-win32-x64': { version: '1.0.0' },
    },
  }
  assert.equal(repairLock(lock).length, 2)
  assert.deepEqual(lock.packages, {
    'node_modules/x': { optionalDependencies: { 'x-darwin-x64': '1.0.0', 'x-win32-x64': '1.0.0' } },
    'node_modules/x-darwin-x64': { version: '1.0.0', os: ['darwin'], cpu: ['x64'], optional: true },
    'node_modules/x-win32-x64': { version: '1.0.0' },
  })
  assert.deepEqual(repairLock(lock), [])
})
