/** How spans become a tree (docs/trace-tree.md), seen in the browser, on the command line and over the API. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { runClew } from '../scenarios/clew-process.ts'
import { eventually, openPage, openShop, pictureFolder, settled } from './driving.ts'
import type { Shop } from './driving.ts'

let shop: Shop
before(async () => (shop = await openShop()))
after(() => shop.close())

const kinds = { S: 2, C: 3 } as const

/**
 * Sends requests of spans, each span `id[kind][<parent] service name from-to` in milliseconds; kind is C or S.
 * Answers the trace id once all `count` spans can be read.
 */
async function send(requests: readonly (readonly string[])[], count: number): Promise<string> {
  const traceId = randomBytes(16).toString('hex')
  const origin = BigInt(Date.now() - 30_000) * 1_000_000n
  const idOf = (text: string): string => text.padStart(16, '0')
  for (const lines of requests) {
    const resourceSpans = lines.map((line) => {
      const [, id, kind, parent, service, name, from, to] =
        /^(\w)([CS]?)(?:<(\w))? (\w+) (\S+) (\d+)-(\d+)$/.exec(line) ?? assert.fail(`cannot read ${line}`)
      const at = (ms: string): string => String(origin + BigInt(ms) * 1_000_000n)
      const span = {
        traceId,
        spanId: idOf(id!),
        ...(parent !== undefined && { parentSpanId: idOf(parent) }),
        kind: kinds[kind as keyof typeof kinds] ?? 1,
        name,
        startTimeUnixNano: at(from!),
        endTimeUnixNano: at(to!),
      }
      const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] }
      return { resource, scopeSpans: [{ spans: [span] }] }
    })
    const response = await fetch(`${shop.clew.otlpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans }),
    })
    assert.equal(response.status, 200)
  }
  await eventually(
    async () => (await readSpanIds(traceId)).length,
    (found) => found === count,
    'the spans of the trace can be read',
  )
  return traceId
}

async function readSpanIds(traceId: string): Promise<string[]> {
  const text = await (await fetch(`${shop.clew.url}/api/v1/traces/${traceId}`)).text()
  return [...text.matchAll(/"spanId":"0*(\w+)"/g)].map(([, id]) => id!)
}

/** `.` for each level, service and name of each row. */
const rowsOf = (page: Page): Promise<string[]> =>
  page.locator('[role=treegrid] [role=row]').evaluateAll((rows) =>
    rows.map((row) => {
      const level = Number(row.getAttribute('aria-level')) - 1
      return '.'.repeat(level) + row.getAttribute('aria-label')!.split(',')[0]!
    }),
  )

async function open(traceId: string): Promise<Page> {
  const { page } = await openPage(shop, `/trace/${traceId}`)
  await settled(page)
  return page
}

test('halves of a Zipkin call hang under each other though the server is ahead, and the client half names the trace', async () => {
  const traceId = await send([['1S shop get-cart 0-12', '2C<1 shop select 2-5'], ['1C edge route 9-29']], 3)
  const page = await open(traceId)
  assert.deepEqual(await rowsOf(page), ['edge route', '.shop get-cart', '..shop select'])
  await page.context().close()
  const { stdout } = await runClew(['trace', traceId, '--url', shop.clew.url])
  assert.match(stdout, /edge route .*\n└─ shop get-cart .*\n {3}└─ shop select/)
  await eventually(
    async () => {
      const answer = await fetch(`${shop.clew.url}/api/v1/traces?service=edge`)
      return ((await answer.json()) as { traces: { rootService: string }[] }).traces[0]?.rootService
    },
    (service) => service === 'edge',
    'the list names the trace by the client half',
  )
})

test('a span sent in two requests is read and drawn once', async () => {
  const twice = 'b<a shop twice 2-5'
  const traceId = await send(
    [
      ['a shop pay 0-12', twice],
      [twice, 'c<a shop once 6-9'],
    ],
    3,
  )
  assert.deepEqual((await readSpanIds(traceId)).sort(), ['a', 'b', 'c'])
  const page = await open(traceId)
  assert.deepEqual(await rowsOf(page), ['shop pay', '.shop twice', '.shop once'])
  await page.context().close()
})

test('what is odd about a tree is said, and shown', async () => {
  const traceId = await send(
    [['a shop pay 0-12', 'b<b shop itself 1-3', 'c<d shop one 4-6', 'd<c shop two 5-6', 'e<9 shop lost 2-3']],
    5,
  )
  const page = await open(traceId)
  assert.deepEqual(await rowsOf(page), [
    'shop pay',
    'shop itself',
    'shop one',
    '.shop two',
    'missing parent',
    '.shop lost',
  ])
  // A span that names itself has no parent once it is taken, so it is a second root.
  await page.getByText('2 roots').waitFor()
  await page.getByText('1 span without parent').waitFor()
  await page.getByText('1 ring of parents cut').getByRole('button', { name: 'Show' }).click()
  const selected = page.locator('[role=treegrid] [aria-selected=true]')
  await eventually(
    () => selected.getAttribute('aria-label'),
    (label) => label!.startsWith('shop one'),
    'the cut span is selected',
  )
  await settled(page)
  await page.screenshot({ path: join(pictureFolder(), 'tree-notes.png') })
  await page.context().close()
})

test('the critical path goes on below a child that ends a millisecond after its parent', async () => {
  const traceId = await send([['aS shop pay 0-100', 'b<a shop middleware 0-101', 'cC<b shop query 5-99']], 3)
  const page = await open(traceId)
  await page.getByRole('row', { name: /^shop query/ }).click()
  await page.locator('.panel').getByText('94.0 ms').nth(1).waitFor()
  await settled(page)
  await page.screenshot({ path: join(pictureFolder(), 'critical-path.png') })
  const critical = await page.locator('.panel').innerText()
  assert.match(critical, /Critical\s+94\.0 ms/)
  await page.context().close()
})
