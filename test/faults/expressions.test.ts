/**
 * Input reaches regular expressions, and one that backtracks holds the event loop: a command line of 20,000 characters once
 * took minutes. Each expression in the source is run on texts that keep it busy (expression-texts.ts); it must be done in
 * linear time, whatever the length of what it gets.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { code, isTest, read } from '../style/checkout.ts'
import { busyTexts } from '../support/expression-texts.ts'

/** What cannot be made linear, or is not worth it, with the reason why its texts are short. */
const bounded = new Map([
  [String.raw`(\d+)(?:\.(\d+))?(ns|us|µs|μs|ms|s|m|h|d)`, 'a duration has at most 64 characters'],
  [
    String.raw`_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)$`,
    'a name of a variable of our own environment',
  ],
])

interface Found {
  readonly path: string
  readonly expression: RegExp
}

const literal = /(?<=^\s*|[=(,:!?&|[]\s?|return )\/(?![/*])((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([a-z]*)/gm
const notExpression = /^(var|usr|tmp)$/

/** Those written as literals in the sources of the server and the web UI. */
function literals(): Found[] {
  return code
    .filter((path) => /^(src|web\/src)\/.*\.tsx?$/.test(path) && !isTest(path))
    .flatMap((path) => {
      const lines = read(path).split('\n')
      const text = lines.filter((line) => !/^\s*(\*|\/\*|\/\/)/.test(line)).join('\n')
      return [...text.matchAll(literal)]
        .filter(([, source]) => !notExpression.test(source!))
        .map(([, source, flags]) => ({ path, expression: new RegExp(source!, flags) }))
    })
}

/** Those that the decoders put together when they are loaded. */
async function composed(): Promise<Found[]> {
  const found: Found[] = []
  const original = RegExp
  globalThis.RegExp = new Proxy(original, {
    construct(target, parts) {
      const expression = Reflect.construct(target, parts) as RegExp
      found.push({ path: 'src/codec', expression })
      return expression
    },
  })
  try {
    await import('../../src/codec/codecs.ts')
  } finally {
    globalThis.RegExp = original
  }
  return found
}

/** Shortest of up to three tries: others use this machine too. */
function tookMs({ expression }: Found, text: string, limitMs: number): number {
  let best = Infinity
  for (let tries = 0; tries < 3 && best > limitMs; tries++) {
    const startedMs = performance.now()
    if (expression.global) text.replaceAll(expression, '')
    else expression.exec(text)
    best = Math.min(best, performance.now() - startedMs)
  }
  return best
}

/** Short texts first: an expression that needs cubic time is found before it takes minutes. */
const lengths = [
  { chars: 500, limitMs: 15 },
  { chars: 16_000, limitMs: 30 },
]

/** The first text that takes too long. */
function slowText(found: Found): string | undefined {
  for (const { chars, limitMs } of lengths) {
    let seed = 1
    const pick = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
    for (const text of busyTexts(found.expression.source, chars, pick)) {
      const ms = tookMs(found, text, limitMs)
      if (ms > limitMs) return `${ms.toFixed(0)} ms for ${chars} characters: ${JSON.stringify(text.slice(0, 60))}…`
    }
  }
  return undefined
}

test('regular expressions take linear time', async () => {
  const all = [...literals(), ...(await composed())]
  assert.ok(all.length > 200, `only ${all.length} expressions were found`)
  const slow: string[] = []
  for (const found of all) {
    if (bounded.has(found.expression.source)) continue
    const text = slowText(found)
    if (text !== undefined) slow.push(`${found.path}: ${found.expression} took ${text}`)
  }
  assert.deepEqual(slow, [])
})

test('expressions that backtrack are found', () => {
  const path = 'here'
  for (const expression of [/a+$/, /^\s*(a*)\s*$/]) {
    assert.notEqual(slowText({ path, expression }), undefined, String(expression))
  }
  for (const expression of [/^a+$/, /(?<!a)a+$/, /^\s*(\w*)$/]) {
    assert.equal(slowText({ path, expression }), undefined, String(expression))
  }
})
