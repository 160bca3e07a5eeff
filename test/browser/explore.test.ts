import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { countShown, eventually, openPage, openShop, pictureFolder, send } from './driving.ts'
import type { Shop } from './driving.ts'
import { ordinaryTrace, richTrace, seeded } from './shop-traces.ts'
import type { DrawnTrace, OtlpSpan } from './shop-traces.ts'

let shop: Shop
const now = Date.now()
const random = seeded(5)
/** Within the last 50 minutes, the newest a minute ago. */
const traces: DrawnTrace[] = Array.from({ length: 260 }, () =>
  ordinaryTrace(now - 60_000 - random() * 2_900_000, random),
)
traces.push(richTrace(now - 45_000))

before(async () => {
  shop = await openShop()
})
after(() => shop.close())

/** What a search must find, counted on the spans that were sent. */
function expected(matches: (span: OtlpSpan, service: string) => boolean): number {
  return traces.filter(({ spans }) => [...spans].some(([service, list]) => list.some((span) => matches(span, service))))
    .length
}

const length = (span: OtlpSpan): number => Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano))
const hasAttribute = (span: OtlpSpan, key: string, text: string): boolean =>
  span.attributes.some(
    (attribute) => attribute.key === key && JSON.stringify(attribute.value) === JSON.stringify({ stringValue: text }),
  )

async function typeFilter(page: Page, text: string): Promise<void> {
  await page.locator('[data-query]').fill(text)
  await page.locator('[data-query]').press('Enter')
}

test('an empty store says where to send, and shows the first traces by itself', async () => {
  const { page, problems } = await openPage(shop, '/')
  await page.getByRole('heading', { name: 'No spans yet' }).waitFor()
  await page.getByText(`OTEL_EXPORTER_OTLP_ENDPOINT=${shop.clew.otlpUrl}`).waitFor()
  await send(shop, traces)
  await countShown(page, traces.length)
  assert.deepEqual(problems, [])
  await page.context().close()
})

test('each filter finds what it should', async () => {
  const { page, problems } = await openPage(shop, '/explore')
  await countShown(page, traces.length)
  const cases: [string, number][] = [
    ['service=cart', expected((_, service) => service === 'cart')],
    ['operation="find product"', expected(({ name }) => name === 'find product')],
    ['status=error', expected(({ status }) => status.code === 2)],
    ['duration>100ms', expected((span) => length(span) >= 100e6)],
    ['duration<5ms', expected((span) => length(span) <= 5e6)],
    ['http.route=/cart', expected((span) => hasAttribute(span, 'http.route', '/cart'))],
  ]
  for (const [text, count] of cases) {
    assert.ok(count > 0 && count < traces.length, `${text} must tell traces apart`)
    await typeFilter(page, text)
    await countShown(page, count)
    await page.getByTitle('Remove all filters').click()
    await countShown(page, traces.length)
  }
  assert.deepEqual(problems, [])
  await page.context().close()
})

test('filters join on one span, and a chip removes its own', async () => {
  const { page } = await openPage(shop, '/explore?service=cart&status=error')
  await countShown(
    page,
    expected((span, service) => service === 'cart' && span.status.code === 2),
  )
  await page.getByRole('button', { name: 'Remove status = error' }).click()
  await countShown(
    page,
    expected((_, service) => service === 'cart'),
  )
  assert.equal(new URL(page.url()).search, '?service=cart')
  await page.context().close()
})

test('the query box offers fields, then values, and the keyboard takes them', async () => {
  const { page } = await openPage(shop, '/explore')
  await countShown(page, traces.length)
  await page.keyboard.press('/')
  await page.keyboard.type('serv')
  await page
    .getByRole('option', { name: /^service/ })
    .first()
    .waitFor()
  await page.keyboard.press('Tab')
  await page.getByRole('option', { name: /^cart/ }).waitFor()
  await page.keyboard.type('sea')
  await eventually(
    () => page.getByRole('option').count(),
    (count) => count === 1,
    'offers should narrow to one',
  )
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await countShown(
    page,
    expected((_, service) => service === 'search'),
  )
  await typeFilter(page, 'nonsense')
  await page.getByText('Write a field, a sign and a value').waitFor()
  await page.context().close()
})

test('a time range narrows, and the URL holds it', async () => {
  const { page } = await openPage(shop, '/explore')
  await countShown(page, traces.length)
  await page.keyboard.press('t')
  await page.getByRole('button', { name: 'Last 15 min' }).click()
  const recent = traces.filter(({ startMs }) => startMs >= Date.now() - 900_000).length
  await eventually(
    async () => Number.parseInt((await page.locator('.count-line .figure').first().textContent()) ?? '', 10),
    (count) => Math.abs(count - recent) <= 1,
    `about ${recent} traces of the last 15 minutes`,
  )
  assert.equal(new URL(page.url()).search, '?from=-15m')
  await page.keyboard.press('u')
  await page.getByRole('button', { name: 'UTC', exact: true }).waitFor()
  await page.context().close()
})

test('a range with little in it offers the part that holds it', async () => {
  const { page } = await openPage(shop, '/explore?from=-24h')
  await countShown(page, traces.length)
  await page.getByRole('button', { name: /^Show \d/ }).click()
  await eventually(
    () => Promise.resolve(new URL(page.url()).searchParams.get('to') !== null),
    Boolean,
    'the range is fixed',
  )
  await countShown(page, traces.length)
  await page.context().close()
})

test('a pasted trace id opens the trace, without its leading zeros too', async () => {
  const { traceId } = traces[0]!
  const { page } = await openPage(shop, '/explore')
  await countShown(page, traces.length)
  await page.locator('[data-query]').fill(` ${traceId.toUpperCase().replace(/^0+/, '')} `)
  await page.getByRole('option', { name: `Open trace ${traceId}` }).waitFor()
  await page.locator('[data-query]').press('Enter')
  await page.waitForURL(`**/trace/${traceId}**`)
  await page.context().close()
})

test('on a phone nothing runs off the page', async () => {
  const { page } = await openPage(shop, '/explore?from=-24h')
  await page.setViewportSize({ width: 390, height: 844 })
  await countShown(page, traces.length)
  await page.locator('.trace-rows .trace-row').first().waitFor()
  await page.screenshot({ path: join(pictureFolder(), 'explore-phone.png') })
  const over = await page.evaluate<string[]>(`[...document.querySelectorAll('main *')]
    .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => element.className || element.tagName)`)
  assert.deepEqual(over, [])
  await page.context().close()
})

test('headers sort, and More goes on to the end without doubles', async () => {
  const { page } = await openPage(shop, '/explore')
  await page.getByText(`showing 100 of ${traces.length}`).waitFor({ state: 'attached' })
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByText(`showing 200 of ${traces.length}`).waitFor({ state: 'attached' })
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByText(`showing ${traces.length} of ${traces.length}`).waitFor({ state: 'attached' })
  assert.ok((await page.locator('*').count()) < 1500, 'the table is virtual')
  await page.getByRole('button', { name: 'Spans' }).click()
  const first = page.locator('.trace-rows [role=row]').first()
  await eventually(
    () => first.innerText(),
    (text) => text.includes('POST /pay'),
    'most spans first',
  )
  await page.context().close()
})

test('a box on the map lists its traces, and Zoom makes it the range', async () => {
  const { page } = await openPage(shop, '/explore')
  await countShown(page, traces.length)
  const map = (await page.locator('.heat-map canvas').boundingBox())!
  await page.mouse.move(map.x + map.width * 0.4, map.y + 10)
  await page.mouse.down()
  await page.mouse.move(map.x + map.width * 0.7, map.y + map.height - 24, { steps: 4 })
  await page.mouse.up()
  const inBox = await eventually(
    async () => Number.parseInt((await page.locator('.box-bar strong').innerText()).replace('Box: ', ''), 10),
    (count) => count > 0 && count < traces.length,
    'the box should hold some traces',
  )
  assert.ok(inBox < 1000, 'one page of the search holds them')
  await page.getByText(`showing ${inBox} of ${inBox}`).waitFor({ state: 'attached' })
  const address = (): URLSearchParams => new URL(page.url()).searchParams
  assert.ok(address().has('to'), 'a box fixes the range')
  await page.keyboard.press('x')
  await eventually(
    async () => address().size,
    (size) => size === 0,
    'without the box it is the last hour again',
  )
  await page.goBack()
  await page.getByText(`showing ${inBox} of ${inBox}`).waitFor({ state: 'attached' })
  await page.getByRole('button', { name: 'Zoom' }).click()
  await eventually(
    async () => address().has('box'),
    (has) => !has,
    'the range is the box',
  )
  assert.ok(address().has('to'))
  await page.context().close()
})

test('a shared link has the times that are shown; a box outside the range brings its own', async () => {
  const { page } = await openPage(shop, '/explore?service=cart')
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  const carts = expected((_, service) => service === 'cart')
  await countShown(page, carts)
  await page.keyboard.press('y')
  await page.getByText('Link copied').waitFor()
  const link = new URL(await page.evaluate<string>('navigator.clipboard.readText()'))
  assert.ok(Math.abs(Date.parse(link.searchParams.get('to')!) - Date.now()) < 60_000)
  await page.goto(link.href)
  await countShown(page, carts)
  await page.goto(`${shop.clew.url}/explore?box=${now - 3 * 3_600_000}_${now - 2 * 3_600_000}_0_1000000000`)
  await page.getByText('Box: 0 traces').waitFor()
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.getByRole('heading', { name: 'No trace' }).waitFor()
  await page.context().close()
})

test('what an address gets wrong is said, until the next step', async () => {
  const { page } = await openPage(shop, '/explore?service=cart&status=purple&from=junk')
  await countShown(
    page,
    expected((_, service) => service === 'cart'),
  )
  const note = page.getByRole('alert')
  await note.getByText('status=purple is none of error, ok, unset; from=junk is not a time').waitFor()
  await note.getByRole('button', { name: 'Dismiss' }).click()
  await note.waitFor({ state: 'detached' })
  assert.equal(new URL(page.url()).search, '?service=cart')
  await page.context().close()
})

test('the range and the rows are reached by keys', async () => {
  const { page } = await openPage(shop, '/explore')
  await countShown(page, traces.length)
  const focused = (): Promise<string> => page.evaluate<string>('document.activeElement.textContent')
  await page.keyboard.press('t')
  await eventually(focused, (text) => text === 'Last 1 h', 'the chosen preset has the focus')
  await page.keyboard.press('ArrowDown')
  await eventually(focused, (text) => text === 'Last 6 h', 'the next preset has the focus')
  await page.keyboard.press('Enter')
  await eventually(
    async () => new URL(page.url()).search,
    (search) => search === '?from=-6h',
    'the range is taken',
  )
  await eventually(focused, (text) => text === 'Last 6 h', 'the focus is back on the button of the range')
  await countShown(page, traces.length)
  await page.keyboard.press('/')
  await page.keyboard.press('Escape')
  const index = (): Promise<number> =>
    page.evaluate<number>("Number(document.activeElement.closest('[role=row]')?.getAttribute('aria-rowindex'))")
  for (let row = 2; row <= 60; row++) {
    await page.keyboard.press('ArrowDown')
    await eventually(index, (at) => at === row, `row ${row} has the focus`)
  }
  await page.keyboard.press('k')
  await eventually(index, (at) => at === 59, 'the row above has the focus')
  await page.keyboard.press('Enter')
  await page.locator('[role=treegrid] [role=row]').first().waitFor()
  await page.getByText('58 of 100').waitFor()
  await page.context().close()
})

test('a facet filters and takes itself back', async () => {
  const { page } = await openPage(shop, '/explore')
  const facet = page
    .locator('.facets')
    .getByRole('button', { name: /^stock/ })
    .first()
  await facet.click()
  await countShown(
    page,
    expected((_, service) => service === 'stock'),
  )
  await page.locator('.facets [aria-pressed=true]').first().click()
  await countShown(page, traces.length)
  await page.context().close()
})

test('a narrow window opens the facets over the table', async () => {
  const { page } = await openPage(shop, '/explore')
  await page.setViewportSize({ width: 800, height: 800 })
  await countShown(page, traces.length)
  const facets = page.locator('.facets')
  assert.equal(await facets.isVisible(), false)
  await page.getByRole('button', { name: 'Facets' }).click()
  await facets
    .getByRole('button', { name: /^stock/ })
    .first()
    .click()
  await countShown(
    page,
    expected((_, service) => service === 'stock'),
  )
  await page.keyboard.press('Escape')
  await facets.waitFor({ state: 'hidden' })
  await page.context().close()
})

test('opening a trace and going back restores rows and scroll', async () => {
  const { page } = await openPage(shop, '/explore')
  await countShown(page, traces.length)
  await page.locator('.trace-rows').evaluate((element) => element.scrollTo(0, 1120))
  await eventually(
    () => page.locator('.trace-rows [aria-rowindex="46"]').count(),
    (count) => count === 1,
    'rows further down',
  )
  const row = page.locator('.trace-rows [aria-rowindex="46"]')
  const text = await row.innerText()
  await row.getByRole('link').click()
  await page.locator('[role=treegrid] [role=row]').first().waitFor()
  await page.getByText(`45 of 100`).waitFor()
  await page.keyboard.press(']')
  await page.getByText(`46 of 100`).waitFor()
  await page.goBack()
  await page.getByText(`45 of 100`).waitFor()
  await page.goBack()
  await eventually(
    () => page.locator('.trace-rows').evaluate((element) => element.scrollTop),
    (top) => top === 1120,
    'the scroll',
  )
  assert.equal(await row.innerText(), text)
  await page.context().close()
})

test('no match says what each filter costs and which name is near', async () => {
  const { page } = await openPage(shop, '/explore?service=crat&status=error')
  await page.getByRole('heading', { name: 'No trace matches' }).waitFor()
  const errors = expected(({ status }) => status.code === 2)
  await page.getByRole('button', { name: `without service = crat: ${errors} traces` }).waitFor()
  await page.getByRole('button', { name: 'cart', exact: true }).click()
  await countShown(
    page,
    expected((span, service) => service === 'cart' && span.status.code === 2),
  )
  await page.goto(`${shop.clew.url}/explore?from=2020-01-01T00:00:00.000Z&to=2020-01-01T01:00:00.000Z`)
  await page.getByText('Last match:').waitFor()
  await page.getByRole('button', { name: 'Show that hour' }).click()
  await countShown(page, traces.length)
  await page.context().close()
})

test('a server that does not answer is said, keeps what was there, and Retry goes on', async () => {
  const { page } = await openPage(shop, '/explore')
  await countShown(page, traces.length)
  await page.context().setOffline(true)
  await page.getByRole('button', { name: 'Run' }).click()
  await page.getByText('Cannot search traces').waitFor()
  await page.getByText('no answer from the server').first().waitFor()
  assert.ok((await page.locator('.trace-rows [role=row]').count()) > 0, 'old rows stay')
  await page.context().setOffline(false)
  await page.getByRole('button', { name: 'Retry' }).click()
  await page.getByText('Cannot search traces').waitFor({ state: 'detached' })
  await page.context().close()
})
