import assert from 'node:assert/strict'
import { test } from 'node:test'
import { code, read } from './checkout.ts'
import { assertNoFaults } from './faults.ts'
import { importedPaths, wrongImports } from './import-direction.ts'

test('imports go from later stages to earlier ones', () => {
  const faults = code.flatMap((path) =>
    wrongImports(path, read(path)).map((to) => ({ path, message: `must not import ${to}` })),
  )
  assertNoFaults('imports', faults)
})

test('all forms of import are seen', () => {
  const source = [
    "import { a } from './a.ts'",
    "import type { B } from '../b.ts'",
    'import {',
    '  c,',
    "} from './deep/c.ts'",
    "export * from './d.ts'",
    "import './e.ts'",
    "const f = await import('./f.ts')",
    "import fs from 'node:fs'",
  ].join('\n')
  assert.deepEqual(importedPaths('src/x/y.ts', source), [
    'src/x/a.ts',
    'src/b.ts',
    'src/x/deep/c.ts',
    'src/x/d.ts',
    'src/x/e.ts',
    'src/x/f.ts',
  ])
})

test('a wrong direction is found', () => {
  assert.deepEqual(wrongImports('src/model/a.ts', "import { x } from '../storage/b.ts'"), ['src/storage/b.ts'])
  assert.deepEqual(wrongImports('web/src/a.ts', "import { x } from '../../src/api/native/contract.ts'"), [])
  for (const stage of ['api', 'analysis']) {
    const wrong = ['src/storage/clickhouse/reader.ts', 'src/storage/fresh-reader.ts']
    const source = wrong.map((path) => `import { x } from '../../${path}'`).join('\n')
    assert.deepEqual(wrongImports(`src/${stage}/a.ts`, source), wrong)
    assert.deepEqual(wrongImports(`src/${stage}/a.ts`, "import type { Reader } from '../model/reader.ts'"), [])
  }
  assert.deepEqual(wrongImports('src/storage/clickhouse/a.ts', "import { x } from '../b.ts'"), [])
  assert.deepEqual(wrongImports('src/storage/a.ts', "import { x } from './fresh/b.ts'"), [])
  assert.deepEqual(wrongImports('src/storage/a.ts', "import { x } from './clickhouse/b.ts'"), [
    'src/storage/clickhouse/b.ts',
  ])
  assert.deepEqual(wrongImports('web/src/a.ts', "import { x } from '../../src/model/ids.ts'"), ['src/model/ids.ts'])
  assert.deepEqual(wrongImports('src/server.ts', "import { x } from './storage/b.ts'"), [])
  assert.deepEqual(wrongImports('src/config/a.ts', "import { x } from '../storage/b.ts'"), ['src/storage/b.ts'])
  assert.deepEqual(wrongImports('src/capture/a.ts', "import { x } from '../joins/b.ts'"), ['src/joins/b.ts'])
  assert.deepEqual(wrongImports('src/status.ts', "import { x } from './storage/b.ts'"), [
    'src/status.ts is in no part that directions names',
  ])
  assert.deepEqual(wrongImports('src/model/a.test.ts', "import { x } from '../storage/b.ts'"), [])
})
