import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Dictionary } from './dictionary.ts'

const forget = Symbol('forget')
const clear = Symbol('clear')

/** The operations of a dictionary: look a word up, undo the last addition, start again. */
const steps = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('', 'a', 'b', 'ab', 'http.method', 'http.target', 'x'.repeat(40), 'ä€') },
    { weight: 10, arbitrary: fc.string({ maxLength: 3 }) },
    { weight: 2, arbitrary: fc.constant(forget) },
    { weight: 1, arbitrary: fc.constant(clear) },
  ),
  { maxLength: 600, size: 'max' },
)

test('equal bytes have one number, in order of first appearance, for any order of words', () => {
  fc.assert(
    fc.property(steps, (given) => {
      const dictionary = new Dictionary()
      const known = new Map<string, number>()
      const arena = Buffer.alloc(1 << 16)
      let at = 0
      let isNew = false
      for (const step of given) {
        if (step === clear) {
          dictionary.clear()
          known.clear()
          isNew = false
        } else if (step === forget) {
          if (!isNew) continue
          dictionary.forgetLast()
          known.delete([...known.keys()].at(-1)!)
          isNew = false
        } else {
          const start = at
          at += arena.write(step as string, at)
          isNew = !known.has(step as string)
          if (isNew) known.set(step as string, known.size)
          assert.equal(dictionary.intern(arena, start, at), known.get(step as string))
        }
        assert.equal(dictionary.count, known.size)
      }
    }),
    { numRuns: 300 },
  )
})
