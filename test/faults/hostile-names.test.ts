/**
 * Names that mean something to a language, a terminal, a page or a spreadsheet, wherever a name can be: services, operations,
 * keys, values, events, scopes. They come back as they were sent, and steer no terminal.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServicesAnswer, StatusAnswer } from '../../src/api/native/contract.ts'
import { runClew, serveClew, type ServedClew } from '../scenarios/clew-process.ts'

const names = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '\x1b[31mred\x1b]0;title\x07',
  '\u009b31mred',
  '\u202egnp.exe',
  'nul\0byte',
  '<img src=x onerror=alert(1)>',
  '=cmd|"/c calc"!A1',
  '\n\nlines',
  '../../etc/passwd',
  '{name:String}',
  'quote\'"`\\',
]
/** Too long for any screen. */
const hugeChars = 60_000
const sent = [...names, 'h'.repeat(hugeChars)]
const traceIdOf = (n: number): string => (0xab000 + n).toString(16).padStart(32, '0')

let clew: ServedClew

function request(): string {
  const now = BigInt(Date.now()) * 1_000_000n
  const attribute = (name: string) => ({ key: name, value: { stringValue: name } })
  const resourceSpans = sent.map((name, n) => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: name } }, attribute(name)] },
    scopeSpans: [
      {
        scope: { name, version: name },
        spans: [
          {
            traceId: traceIdOf(n),
            spanId: traceIdOf(n).slice(16),
            name,
            startTimeUnixNano: String(now),
            endTimeUnixNano: String(now + 5_000_000n),
            attributes: [attribute(name), { key: 'map', value: { kvlistValue: { values: [attribute(name)] } } }],
            events: [{ name, timeUnixNano: String(now), attributes: [attribute(name)] }],
            status: { code: 2, message: name },
          },
        ],
      },
    ],
  }))
  return JSON.stringify({ resourceSpans })
}

before(async () => {
  clew = await serveClew()
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${clew.otlpUrl}/v1/traces`, { method: 'POST', headers, body: request() })
  assert.deepEqual(await answer.json(), {})
  for (let tries = 0; tries < 100; tries++) {
    const { stored } = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as StatusAnswer
    if (stored.spans === sent.length) break
    await sleep(100)
  }
})
after(() => clew.stop())

async function ask(path: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${clew.url}/api/v1${path}`)
  return { status: answer.status, text: await answer.text() }
}

test('services come back under the names that were sent', async () => {
  const { services } = JSON.parse((await ask('/services')).text) as ServicesAnswer
  assert.deepEqual(services.map(({ name }) => name).sort(), [...sent].sort())
})

test('each name is found as a service, a key and a value', async () => {
  for (const [n, name] of names.entries()) {
    const text = encodeURIComponent(name)
    for (const path of [
      `/traces?service=${text}`,
      `/traces?attribute=${encodeURIComponent(`"${name.replaceAll(/["\\]/g, '\\$&')}"=${name}`)}`,
    ]) {
      const found = await ask(path)
      assert.equal(found.status, 200, found.text)
      assert.match(found.text, new RegExp(traceIdOf(n)), JSON.stringify(name))
    }
    assert.match((await ask(`/attributes/${text}/values`)).text, /"values":\[\{/)
  }
})

test('a name of an object is no parameter', async () => {
  for (const name of ['__proto__', 'constructor', 'toString', '__proto__[x]', 'service[]']) {
    const { status, text } = await ask(`/traces?${encodeURIComponent(name)}=1`)
    assert.equal(status, 400)
    assert.match(text, /is not known here/)
  }
})

// eslint-disable-next-line no-control-regex -- control characters are what this is about
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

const commands = [
  ['traces', '--since', '1h'],
  ['events', '--since', '1h'],
  ['services'],
  ['nodes'],
  ['doctor'],
  ...names.map((_, n) => ['trace', traceIdOf(n), '--attributes']),
]

for (const command of commands) {
  test(`clew ${command.join(' ')} steers no terminal`, async () => {
    const { code, stdout, stderr } = await runClew([...command, '--url', clew.url])
    assert.deepEqual([code, steering.exec(stdout + stderr)], [0, null])
    // A huge name widens its own line, and not those of others.
    const lines = stdout.split('\n').filter((line) => line.length > hugeChars)
    assert.ok(lines.length <= 4, `${lines.length} lines are as long as the longest name`)
  })
}

test('what is exported is JSON that holds the names', async () => {
  const { code, stdout } = await runClew(['export', '--since', '1h', '--url', clew.url])
  assert.equal(code, 0)
  const spans = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[] })
    .flatMap(({ resourceSpans }) => resourceSpans.flatMap((each) => each.scopeSpans.flatMap((scope) => scope.spans)))
  assert.deepEqual(spans.map(({ name }) => name).sort(), [...sent].sort())
})
