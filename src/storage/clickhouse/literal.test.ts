import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as fc from 'fast-check'
import { propertyRuns } from '../../../test/support/property-runs.ts'
import { temporaryEngine } from '../../../test/support/temporary-store.ts'
import { bindParameters } from './literal.ts'

const engine = await temporaryEngine({ after })

/** Whatever could end a literal, begin a comment or statement, or look like a placeholder. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom("'", '\\', '\0', '\n', '\r', '`', '"', ';', '-', '/', '*', '{', '}', 'a', ' '),
    maxLength: 12,
  }),
  fc.constantFrom(
    '{b:String}',
    "'; DROP TABLE spans; --",
    '\\',
    "\\'",
    '\\\\',
    '$1',
    '$&',
    "$'",
    '{a:String}',
    '\u2028',
    '\ufeff',
    '\\N',
    '😀',
  ),
)

/** The engine's text is UTF-8: a lone surrogate has none. */
const wellFormed = hostile.map((text) => text.toWellFormed())

test('text comes back from the engine as it was, and is never read as SQL or as another placeholder', async () => {
  await fc.assert(
    fc.asyncProperty(wellFormed, wellFormed, async (a, b) => {
      const rows = await engine.query('SELECT {a:String}, {b:String}, {a:String}', { parameters: { a, b } })
      assert.deepEqual(rows, [[a, b, a]])
    }),
    { numRuns: propertyRuns(300) },
  )
})

test('lists of text come back as they were', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(wellFormed, { minLength: 1, maxLength: 5 }), async (list) => {
      assert.deepEqual(await engine.query('SELECT {list:Array(String)}', { parameters: { list } }), [[list]])
    }),
    { numRuns: propertyRuns(100) },
  )
})

test('64-bit numbers keep every bit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.bigInt(-(1n << 63n), (1n << 63n) - 1n),
      fc.bigInt(0n, (1n << 64n) - 1n),
      async (signed, unsigned) => {
        const sql = 'SELECT {signed:Int64}, {unsigned:UInt64}, toUnixTimestamp64Nano({signed:DateTime64(9)})'
        const rows = await engine.query(sql, { parameters: { signed, unsigned } })
        assert.deepEqual(rows, [[String(signed), String(unsigned), String(signed)]])
      },
    ),
    {
      numRuns: propertyRuns(100),
      examples: [
        [-(1n << 63n), (1n << 64n) - 1n],
        [(1n << 63n) - 1n, 0n],
        [0n, 1n << 63n],
      ],
    },
  )
})

test('doubles keep every bit', async () => {
  await fc.assert(
    fc.asyncProperty(fc.double({ noNaN: true, noDefaultInfinity: true }), async (value) => {
      const rows = await engine.query('SELECT reinterpretAsUInt64({value:Float64})', { parameters: { value } })
      assert.deepEqual(rows, [[String(new BigUint64Array(Float64Array.of(value).buffer)[0])]])
    }),
    { numRuns: propertyRuns(100), examples: [[-0], [5e-324], [Number.MAX_VALUE], [1e21], [0.1]] },
  )
})

test('ids travel as hex text', async () => {
  const parameters = { trace: '00ff'.repeat(8), span: '0123456789abcdef' }
  const sql = 'SELECT lower(hex({trace:FixedString(16)})), lower(hex({span:FixedString(8)}))'
  assert.deepEqual(await engine.query(sql, { parameters }), [[parameters.trace, parameters.span]])
})

test('what is not of its type, or has no value, is a bug and never reaches the engine', () => {
  const bind = (type: string, value: string | number): string => bindParameters(`SELECT {a:${type}}`, { a: value })
  assert.throws(() => bindParameters('SELECT {a:String}', {}), /query parameter a has no value/)
  for (const text of ['1; DROP TABLE spans', '1e3', '', ' 1', '0x1', '1.5', 'NaN']) {
    assert.throws(() => bind('Int64', text), /is not an integer/, text)
  }
  assert.throws(() => bind('Float64', Infinity), /finite/)
  assert.throws(() => bind('FixedString(16)', "00') OR 1 --"), /is not an id/)
  assert.throws(() => bind('Nullable(String)', 'x'), /is not an integer|cannot be bound/)
})
