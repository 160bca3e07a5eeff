import { basename } from 'node:path'
import { test } from 'node:test'
import { code, paths } from './checkout.ts'
import { assertNoFaults } from './faults.ts'

/** Words that say nothing about what is inside. The folder of the published language packages keeps its name. */
const emptyWords = /^(utils?|helpers?|common|managers?|misc|stuff)$/
const namedOnPurpose = 'helpers/python/'

test('names of files and folders are nouns that say what is inside', () => {
  const faults = paths
    .map((path) => ({
      path,
      words: path
        .replace(namedOnPurpose, '')
        .toLowerCase()
        .split(/[/._-]/),
    }))
    .filter(({ words }) => words.some((word) => emptyWords.test(word)))
    .map(({ path }) => ({ path, message: 'has a name that says nothing' }))
  assertNoFaults('file-names', faults)
})

test('code files are named in kebab-case', () => {
  const faults = code
    .filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*\.(ts|tsx|mjs|js)$/.test(basename(path)))
    .map((path) => ({ path, message: 'is not kebab-case' }))
  assertNoFaults('file-names', faults)
})
