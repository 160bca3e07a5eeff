import { test } from 'node:test'
import { code, isTest, read } from './checkout.ts'
import { assertNoFaults, type Fault } from './faults.ts'

const exportedValue = /^export (?:async )?(?:function\*?|const|let|class) (\w+)/gm
const word = /\b[A-Za-z_]\w*\b/g

const sources = code
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => {
    const text = read(path)
    return { path, text, words: new Set(text.match(word)) }
  })

/** Also what is in src for tests alone. */
const isForTests = (path: string): boolean => isTest(path) || path.includes('/testing/')

test('what a file exports is used by another, and by more than tests', () => {
  const faults: Fault[] = []
  for (const { path, text } of sources) {
    for (const [, name = ''] of text.matchAll(exportedValue)) {
      const users = sources.filter((other) => other.path !== path && other.words.has(name))
      const isUsedHere = (text.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length > 1
      if (users.length === 0) faults.push({ path, message: `nobody else uses ${name}: do not export it` })
      else if (!isUsedHere && !isForTests(path) && users.every((other) => isForTests(other.path))) {
        faults.push({ path, message: `only tests use ${name}: it is dead` })
      }
    }
  }
  assertNoFaults('exports', faults)
})
