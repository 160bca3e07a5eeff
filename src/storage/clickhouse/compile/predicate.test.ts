import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { storeRows, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import { drawSpans, second, type TestSpan } from '../../../../test/support/test-spans.ts'
import {
  and,
  attribute,
  bool,
  compare,
  duration,
  exists,
  int,
  intrinsic,
  nil,
  not,
  or,
  spelled,
  status,
  text,
  type Predicate,
} from '../../../model/query.ts'
import { compileTest } from '../../../model/evaluate/evaluate.ts'
import { KeyNotes } from '../../key-kinds.ts'
import { KnownKeys } from '../known-keys.ts'
import { bindParameters } from '../literal.ts'
import { compileSpanQuery } from './predicate.ts'

const engine = await temporaryEngine({ after })
const origin = 1_795_000_200n * second
const attributesOf: readonly TestSpan['attributes'][] = [
  { 'user.id': 'u1', 'http.response.status_code': 500, retry: true },
  { 'user.id': 'u2', size: 42 },
  { plain: 'u1' },
]
const spans = drawSpans('web GET 0s+2s\nweb POST 1s+1s\ncart add 0s+1s', origin).map((span, i) => ({
  ...span,
  attributes: attributesOf[i]!,
}))
await storeRows(engine, spans)

/** Nothing special is known of any key. */
const facts = new KnownKeys()

const any = (key: string) => attribute('any', key)

/** What is asked, its SQL, and how many of the three spans meet it. */
const golden: readonly (readonly [Predicate, sql: string, spans: number])[] = [
  [compare(intrinsic('service'), '=', text('web')), "service_name = 'web'", 2],
  [compare(intrinsic('status'), '=', status(2)), 'status_code = 2', 0],
  [compare(duration(second), '<', intrinsic('duration')), 'duration > toInt64(1000000000)', 1],
  [compare(any('user.id'), '=', spelled('u1')), "user_id = 'u1'", 1],
  [compare(any('http.response.status_code'), '=', spelled('500')), 'http_response_status_code = toUInt16(500)', 1],
  [compare(any('plain'), '=', spelled('u1')), "attributes_string['plain'] = 'u1'", 1],
  [compare(any('retry'), '=', bool(true)), "attributes_other['retry'] = 'true'", 1],
  [
    compare(any('size'), '=', int(42n)),
    "((mapContains(attributes_number, 'size') AND attributes_number['size'] = toInt64(42)) OR attributes_other['size'] IN ('42.0', '42'))",
    1,
  ],
  [
    and(compare(intrinsic('service'), '=', text('web')), not(compare(any('user.id'), '=', text('u1')))),
    "service_name = 'web' AND NOT (user_id = 'u1')",
    1,
  ],
  [
    or(compare(any('user.id'), '=', text('u2')), compare(intrinsic('name'), '=~', text('a.*'))),
    "(user_id = 'u2' OR match(name, '\\\\A(?s:a.*)\\\\z'))",
    2,
  ],
  [
    compare(any('user.id'), '!=', text('u1')),
    "(arrayExists(raw -> raw NOT IN ('', '{}'), if(user_id = '', [], [toJSONString(toString(user_id))])) AND NOT (user_id = 'u1'))",
    1,
  ],
  [
    compare(any('user.id'), '=', nil),
    "NOT (arrayExists(raw -> raw NOT IN ('', '{}'), if(user_id = '', [], [toJSONString(toString(user_id))])))",
    1,
  ],
  [compare(attribute('event', 'x'), '=', text('y')), '0', 0],
  [compare(any('a=b'), '=', text('y')), '0', 0],
]

for (const [where, sql, count] of golden) {
  test(`WHERE ${sql.slice(0, 90)} finds ${count}`, async () => {
    const conditions = compileSpanQuery({ where }, facts)
    assert.equal(bindParameters(conditions.where(), conditions.parameters), `WHERE ${sql}`)
    const [row] = await engine.query<[string]>(`SELECT count() FROM spans ${conditions.where()}`, {
      parameters: conditions.parameters,
    })
    assert.equal(Number(row![0]), count)
  })
}

test('a key that was seen on events, or with arrays, is looked for there too', () => {
  const known = new KnownKeys()
  const notes = new KeyNotes()
  notes.addTyped('event', '{"plain":{"arrayValue":{"values":[{"stringValue":"a\\"b"}]}},"x":"{\\"y\\":1}"}')
  known.addNotes(notes)
  const sql = compileSpanQuery({ where: compare(any('plain'), '=', text('u')) }, known).where()
  assert.match(sql, /^WHERE \(+attributes_string.*arrayExists.*attributes_other.*events/s)
  assert.deepEqual([...notes.sets.event], ['plain', 'x'])
  assert.deepEqual([...notes.sets.arrays], ['plain'])
})

test('a predicate of too many conditions, levels or characters is refused', () => {
  const one = exists(any('a'))
  let deep: Predicate = one
  for (let i = 0; i < 10_000; i++) deep = not(deep)
  const wide = or(...Array.from({ length: 10_000 }, () => one))
  const long = compare(any('a'), '=', text('x'.repeat(100_000)))
  for (const where of [deep, wide, long]) {
    assert.throws(() => compileSpanQuery({ where }, facts), { code: 'too_large' })
    assert.throws(() => compileTest(where), { code: 'too_large' })
  }
})

test('the engine takes a predicate of the largest size', async () => {
  const where = or(...Array.from({ length: 250 }, (_, i) => compare(any(`key.${i}`), '!=', spelled('42'))))
  const conditions = compileSpanQuery({ where }, facts)
  assert.deepEqual(await engine.query(`SELECT name FROM spans ${conditions.where()}`, conditions), [])
})

test('a pattern that is not RE2 syntax is refused', () => {
  const where = compare(intrinsic('name'), '=~', text('a(?=b)'))
  assert.throws(() => compileSpanQuery({ where }, facts), { code: 'bad_request' })
})
