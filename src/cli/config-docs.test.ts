import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { printConfigurationDocs } from './config-docs.ts'

test('docs/configuration.md matches the options (else: node src/main.ts config --docs > docs/configuration.md)', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')
  assert.equal(page, printConfigurationDocs())
})
