import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadConfig } from '../config/config.ts'
import { InputError } from './errors.ts'

const dir = mkdtempSync(join(tmpdir(), 'clew-option-file-'))
after(() => rmSync(dir, { recursive: true, force: true }))

function tailOf(yaml: string): unknown {
  const configFile = join(dir, 'clew.yaml')
  writeFileSync(configFile, yaml)
  return JSON.parse(loadConfig({ configFile, env: {}, dir }).config.tail)
}

test('a structured option is written as YAML in the file', () => {
  assert.deepEqual(
    tailOf('tail:\n  - paths: [/var/log/a.log, /b.log]\n    parser: { pattern: "^(?<x>.*)$" }\n  - paths: /c.log\n'),
    [{ paths: ['/var/log/a.log', '/b.log'], parser: { pattern: '^(?<x>.*)$' } }, { paths: '/c.log' }],
  )

  assert.deepEqual(tailOf('tail: []\n'), [])
})

test('and as JSON in flags and variables; anything else is refused', () => {
  const text = '[ {"paths": "/a.log"} ]'
  assert.equal(loadConfig({ env: { CLEW_TAIL: text }, dir }).config.tail, '[{"paths":"/a.log"}]')
  assert.equal(loadConfig({ flags: { tail: text }, env: {}, dir }).config.tail, '[{"paths":"/a.log"}]')
  assert.throws(
    () => loadConfig({ flags: { tail: '/a.log' }, env: {}, dir }),
    (error) => error instanceof InputError && /"\/a\.log" for --tail: expected JSON/.test(error.message),
  )
  assert.throws(() => tailOf('tail:\n'), InputError)
})
