/** Traces far wider and deeper than a screen: what they show, and that they show it in bounded time. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { eventually, openPage, openShop, pictureFolder, settled } from './driving.ts'
import type { Shop } from './driving.ts'

/** Both generous: 15 s and 130 ms were measured on two busy cores. */
const openMsMax = 60_000
const frameMsMax = 2000
const pictures = pictureFolder()

let shop: Shop
before(async () => (shop = await openShop()))
after(() => shop.close())

/** Sends spans 0 … `count` - 1, a microsecond apart; span 0 is the root. */
async function sendSpans(name: string, count: number, parentOf: (span: number) => number): Promise<string> {
  const traceId = randomBytes(16).toString('hex')
  const start = BigInt(Date.now() - 60_000) * 1_000_000n
  const idOf = (span: number): string => (span + 1).toString(16).padStart(16, '0')
  for (let from = 0; from < count; from += 20_000) {
    const spans = Array.from({ length: Math.min(20_000, count - from) }, (_, i) => {
      const span = from + i
      return {
        traceId,
        spanId: idOf(span),
        ...(span > 0 && { parentSpanId: idOf(parentOf(span)) }),
        name: span === 0 ? 'root' : 'step',
        startTimeUnixNano: String(start + BigInt(span) * 1000n),
        endTimeUnixNano: String(start + BigInt(span === 0 ? 2 * count : 2 * count - span) * 1000n),
      }
    })
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: name } }] }
    const response = await fetch(`${shop.clew.otlpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }),
    })
    assert.equal(response.status, 200)
  }
  await eventually(
    async () => {
      const answer = await fetch(`${shop.clew.url}/api/v1/traces?service=${name}`)
      return ((await answer.json()) as { traces: { spanCount: number }[] }).traces[0]?.spanCount
    },
    (spanCount) => spanCount === count,
    `${name}: all spans are stored`,
  )
  return traceId
}

/** Opens the trace; the picture must be there within `openMsMax`. */
async function openTrace(traceId: string): Promise<{ page: Page; problems: string[] }> {
  const begun = performance.now()
  const opened = await openPage(shop, `/trace/${traceId}`)
  await opened.page.locator('[role=treegrid] [role=row]').first().waitFor({ timeout: openMsMax })
  await settled(opened.page)
  const took = performance.now() - begun
  assert.ok(took < openMsMax, `opening took ${took} ms`)
  return opened
}

/** Longest time between two frames while `act` runs, milliseconds. */
async function longestFrame(page: Page, act: () => Promise<void>): Promise<number> {
  await page.evaluate(
    `window.frames60 = []; (function next(at) { window.frames60.push(at); requestAnimationFrame(next) })(performance.now())`,
  )
  await act()
  return page.evaluate<number>('Math.max(...window.frames60.slice(1).map((at, i) => at - window.frames60[i]))')
}

const firstRows = (page: Page): Promise<(string | null)[]> =>
  page
    .locator('[role=treegrid] [role=row]')
    .evaluateAll((rows) => rows.slice(0, 4).map((row) => row.getAttribute('aria-label')))

test('200,000 children of one span are a group that unfolds and scrolls', async () => {
  const traceId = await sendSpans('wide', 200_000, () => 0)
  const { page, problems } = await openTrace(traceId)
  assert.deepEqual(
    (await firstRows(page)).map((row) => row!.split(',')[0]),
    ['wide root', 'wide step ×199999'],
  )
  await page.screenshot({ path: join(pictures, 'wide.png') })
  await page.keyboard.press('ArrowDown')
  const frameMs = await longestFrame(page, async () => {
    await page.keyboard.press('ArrowRight')
    await eventually(
      () => firstRows(page),
      (rows) => rows.length === 4,
      'the group unfolds',
    )
    for (let i = 0; i < 20; i++) await page.keyboard.press('w')
  })
  assert.ok(frameMs < frameMsMax, `a frame took ${frameMs} ms`)
  await page.keyboard.press('0')
  await page.locator('.waterfall-scroll').evaluate((element) => {
    element.scrollTop = element.scrollHeight
  })
  const last = page.locator('[role=treegrid] [role=row]').last()
  await eventually(
    () => last.getAttribute('aria-rowindex'),
    (index) => index === '200001',
    'the last row is reached',
  )
  await settled(page)
  await page.screenshot({ path: join(pictures, 'wide-end.png') })
  assert.deepEqual(problems, [])
  await page.context().close()
})

test('70,000 levels keep their depths, and their names stay in view', async () => {
  const traceId = await sendSpans('deep', 70_000, (span) => span - 1)
  const { page, problems } = await openTrace(traceId)
  await page.screenshot({ path: join(pictures, 'deep.png') })
  await page.locator('.waterfall-scroll').evaluate((element) => {
    element.scrollTop = element.scrollHeight
  })
  const last = page.locator('[role=treegrid] [role=row]').last()
  await eventually(
    () => last.getAttribute('aria-level'),
    (level) => level === '70000',
    'the last row is the deepest',
  )
  const width = (await page.locator('.names').boundingBox())!.width
  const offset = (await last.locator('.operation').boundingBox())!.x
  assert.ok(offset < width, `the last name is drawn ${offset} px to the right`)
  await last.click()
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('ArrowUp')
  await settled(page)
  await page.screenshot({ path: join(pictures, 'deep-end.png') })
  const box = (await page.locator('[role=treegrid] [aria-selected=true] .operation').boundingBox())!
  const names = (await page.locator('.names').boundingBox())!
  assert.ok(box.x > names.x && box.x + box.width <= names.x + names.width, 'the selected name is in view')
  await page.locator('.panel').getByText('step').first().waitFor()
  assert.deepEqual(problems, [])
  await page.context().close()
})
