import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { barPixels, eventually, openPage, openShop, send, settled } from './driving.ts'
import type { Shop } from './driving.ts'
import { DrawnTrace, hugeTrace, richTrace, seeded } from './shop-traces.ts'
import type { OtlpSpan } from './shop-traces.ts'

let shop: Shop
const now = Date.now()
const rich = richTrace(now - 60_000)
const huge = hugeTrace(now - 120_000, 10_000)
const deep = deepTrace(now - 90_000, 60)
const richPath = `/trace/${rich.traceId}`

before(async () => {
  shop = await openShop()
  await send(shop, [rich, huge, deep])
})
after(() => shop.close())

function deepTrace(startMs: number, levels: number): DrawnTrace {
  const trace = new DrawnTrace(startMs, seeded(8))
  let parent: OtlpSpan | undefined
  for (let level = 1; level <= levels; level++) {
    const place = { at: level, ms: 3 * levels - level }
    parent = trace.add({ service: 'deep', name: `level ${level}`, ...place, ...(parent && { parent }) })
  }
  return trace
}

const selectedRow = (page: Page): Promise<string> =>
  page.locator('[role=treegrid] [aria-selected=true]').evaluate((row) => row.getAttribute('aria-label') ?? '')
const shownRows = (page: Page): Promise<(string | null)[]> =>
  page.locator('[role=treegrid] [role=row]').evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label')))
const search = (page: Page): URLSearchParams => new URL(page.url()).searchParams

test('the waterfall shows the tree with its marks, the panel the root', async () => {
  const { page, problems } = await openPage(shop, richPath)
  await settled(page)
  const rows = await shownRows(page)
  assert.match(rows[0]!, /^shop POST \/pay, 1\.84 s, at \+0 ms/)
  assert.ok(rows.some((row) => row!.startsWith('cart SELECT stock ×37, ')))
  assert.ok(rows.some((row) => row!.startsWith('missing parent')))
  assert.ok(rows.some((row) => /^pay POST bank, 102 ms, at \+1\.12 s, error$/.test(row!)))
  await page.getByText('2 spans without parent').waitFor()
  await page.getByText('skew stock').waitFor()
  await page.getByText('62 spans', { exact: true }).first().waitFor()
  const panel = page.locator('.panel')
  await panel.getByText('http.response.status_code').waitFor()
  await panel.getByText('payment of 214.90 EUR begins').waitFor()
  await panel.getByText('session restored').waitFor()
  assert.deepEqual(problems, [])
  await page.context().close()
})

test('keys walk, fold, zoom, jump to errors, filter and find', async () => {
  const { page } = await openPage(shop, richPath)
  await settled(page)
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  assert.match(await selectedRow(page), /^shop POST cart/)
  const count = (await shownRows(page)).length
  await page.keyboard.press('ArrowLeft')
  await eventually(
    () => shownRows(page),
    (rows) => rows.length < count,
    'folding hides rows',
  )
  await page.keyboard.press('ArrowRight')
  await eventually(
    () => shownRows(page),
    (rows) => rows.length === count,
    'unfolding shows them again',
  )
  await page.keyboard.press('e')
  assert.match(await selectedRow(page), /^pay POST bank, 102 ms.*error$/)
  await page.locator('.error-box').getByText('ETIMEDOUT').waitFor()
  await page.keyboard.press('e')
  assert.match(await selectedRow(page), /^pay POST bank, 104 ms/)
  await page.keyboard.press('f')
  await eventually(async () => search(page).has('t'), Boolean, 'zoom is in the URL')
  await page.keyboard.press('0')
  await eventually(
    async () => search(page).has('t'),
    (has) => !has,
    'the whole trace needs none',
  )
  await page.keyboard.press('c')
  await eventually(
    () => shownRows(page),
    (rows) => rows.every((row) => !row!.startsWith('mail')),
    'mail is not critical',
  )
  await page.keyboard.press('c')
  await page.keyboard.press('/')
  await page.keyboard.type('bank')
  await page.getByText('1 of 5').or(page.getByText('2 of 5')).waitFor()
  await page.keyboard.press('Escape')
  await page.context().close()
})

test('Enter goes to the panel and Esc back; the help lists the keys', async () => {
  const { page } = await openPage(shop, richPath)
  await settled(page)
  await page.keyboard.press('Enter')
  await eventually(
    () => page.evaluate<boolean>("document.activeElement.hasAttribute('data-panel')"),
    Boolean,
    'focus in the panel',
  )
  await page.keyboard.press('Escape')
  await eventually(
    () => page.evaluate<string>("document.activeElement.getAttribute('role')"),
    (role) => role === 'treegrid',
    'focus in the rows',
  )
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).getByText('critical path only').waitFor()
  await page.keyboard.press('Escape')
  await page.context().close()
})

test('the URL restores the same picture, pixel by pixel, and Back undoes a step', async () => {
  const { page } = await openPage(shop, richPath)
  await settled(page)
  await page.getByPlaceholder('find: word, key=value').fill('SELECT stock')
  await page.getByText(/of 37/).waitFor()
  await page.keyboard.press('Escape')
  await page.getByPlaceholder('find: word, key=value').fill('bank')
  await page.getByText(/of 5/).waitFor()
  await page.getByPlaceholder('find: word, key=value').blur()
  await page.keyboard.press('e')
  await page.keyboard.press('w')
  await page.getByRole('button', { name: /^> 10 %/ }).click()
  await page.keyboard.press('r')
  await eventually(
    async () => search(page).get('skew'),
    (skew) => skew === 'adjusted',
    'adjusted times',
  )
  await page.waitForTimeout(300)
  await page.mouse.move(700, 20)
  const picture = await settled(page)
  const url = page.url()
  const other = await openPage(shop, url.slice(shop.clew.url.length))
  assert.equal(await settled(other.page), picture)
  await other.page.context().close()
  await page.goBack()
  await eventually(
    async () => search(page).get('skew'),
    (skew) => skew === null,
    'raw times again',
  )
  await page.goBack()
  await eventually(
    async () => search(page).get('slow'),
    (slow) => slow === null,
    'all spans again',
  )
  await page.context().close()
})

test('links, events and logs of a span are in the panel; an attribute finds its like', async () => {
  const { page } = await openPage(shop, richPath)
  await settled(page)
  await page.locator('[role=treegrid]').getByText('orders process').click()
  await page.locator('.panel').getByText('this trace, span').waitFor()
  await page.locator('[role=treegrid]').getByText('POST bank').first().click()
  await page.locator('.panel').getByText('bank did not answer in 100 ms, attempt 1 of 3').waitFor()
  const attribute = page.locator('.panel .attribute').filter({ hasText: 'server.address' })
  await attribute.hover()
  await attribute.getByTitle('Find server.address = this value in the trace').click()
  await page.getByText('1 of 3').waitFor()
  await page.context().close()
})

/** Runs in the page: the number of animation frames in two seconds. */
const countFrames = `new Promise((resolve) => {
  let count = 0
  const end = performance.now() + 2000
  const tick = () => {
    count++
    if (performance.now() < end) requestAnimationFrame(tick)
    else resolve(count)
  }
  requestAnimationFrame(tick)
})`

test('10,000 spans open with few elements, and scrolling draws frames', async () => {
  const { page, problems } = await openPage(shop, `/trace/${huge.traceId}`)
  await settled(page)
  await page.getByText('10,000 spans').first().waitFor()
  await page.locator('[role=treegrid] [role=row]').first().click()
  await page.keyboard.press('Shift+ArrowRight')
  await eventually(
    () => page.locator('[role=treegrid]').getAttribute('aria-rowcount'),
    (rows) => Number(rows) >= 10_000,
    'all rows unfolded',
  )
  const elements = await page.locator('*').count()
  assert.ok(elements < 1500, `${elements} elements`)
  const pictures = new Set<string>()
  const frames = page.evaluate<number>(countFrames)
  await page.mouse.move(800, 500)
  for (let step = 0; step < 8; step++) {
    await page.mouse.wheel(0, 4000)
    await page.waitForTimeout(60)
    pictures.add(await barPixels(page))
  }
  assert.ok(pictures.size >= 6, `${pictures.size} different pictures in 8 steps`)
  const drawn = await frames
  assert.ok(drawn >= 20, `${drawn} frames in two seconds`)
  assert.ok((await page.locator('*').count()) < 1500)
  assert.deepEqual(problems, [])
  await page.context().close()
})

for (const [width, height] of [
  [900, 900],
  [1440, 550],
  [720, 450],
] as const) {
  test(`a window of ${width} × ${height} draws only the rows in view, and keeps the next error in it`, async () => {
    const { page } = await openPage(shop, `/trace/${huge.traceId}`)
    await page.setViewportSize({ width, height })
    await settled(page)
    await page.keyboard.press('Shift+ArrowRight')
    await page.keyboard.press('Shift+E')
    const row = page.locator('[role=treegrid] [aria-selected=true]')
    await eventually(
      () => row.getAttribute('aria-label'),
      (label) => label!.endsWith('error'),
      'an error is selected',
    )
    await settled(page)
    assert.ok((await page.locator('*').count()) < 1500)
    const isInView = async (selector: string): Promise<boolean> => {
      const box = (await page.locator(selector).boundingBox())!
      return box.y >= 0 && box.y < height
    }
    assert.ok(await isInView('[role=treegrid] [aria-selected=true]'), 'the row is in view')
    const panelHeight = (await page.locator('.panel').boundingBox())!.height
    assert.ok(panelHeight > 150 && panelHeight < 500, `the panel is ${panelHeight} px high`)
    assert.equal(await page.locator('.panel > .splitter').isVisible(), width > 900)
    await page.context().close()
  })
}

test('zooming with the wheel keeps the time under the pointer', async () => {
  const { page } = await openPage(shop, richPath)
  await settled(page)
  const before = await barPixels(page)
  const box = (await page.locator('.bars').boundingBox())!
  await page.mouse.move(box.x + box.width / 2, box.y + 100)
  const cursor = page.locator('.cursor-time')
  const time = await cursor.innerText()
  await page.keyboard.down('Control')
  await page.mouse.wheel(0, -300)
  await page.keyboard.up('Control')
  await eventually(async () => search(page).has('t'), Boolean, 'zoom is in the URL')
  assert.notEqual(await barPixels(page), before)
  assert.ok(Math.abs(Number.parseFloat(time) - Number.parseFloat(await cursor.innerText())) < 5)
  await page.context().close()
})

test('an unknown trace says so, and Retry shows it once its spans are there', async () => {
  const other = hugeTrace(now - 30_000, 9)
  const { page } = await openPage(shop, `/trace/${other.traceId}`)
  await page.getByRole('heading', { name: `No trace ${other.traceId}` }).waitFor()
  await page.getByText(/^Stored: 10,122 spans/).waitFor()
  await send(shop, [other], 4)
  await page.getByRole('button', { name: 'Retry' }).click()
  await page.locator('[role=treegrid] [role=row]').first().waitFor()
  await page.context().close()
})

test('what is no trace id is told so, without the hope of spans on their way', async () => {
  const { page } = await openPage(shop, '/trace/abc')
  await page.getByText('"abc" is not a trace id').waitFor()
  await page.getByRole('link', { name: 'Go to Explore' }).waitFor()
  assert.equal(await page.getByText('may still be on their way').count(), 0)
  assert.equal(await page.getByRole('button', { name: 'Retry' }).count(), 0)
  await page.context().close()
})

test('a server that is away as a trace is opened is said, and Retry opens it once it is back', async () => {
  const { page } = await openPage(shop, '/explore?service=shop')
  const link = page.locator('.trace-rows').getByRole('link', { name: 'POST /pay' })
  await link.waitFor()
  await page.context().setOffline(true)
  await link.click()
  await page.getByText('Cannot open the trace').waitFor()
  await page.getByText('no answer from the server').waitFor()
  await page.getByRole('button', { name: 'Retry' }).click()
  await page.getByText('no answer from the server').waitFor()
  await page.context().setOffline(false)
  await page.getByRole('button', { name: 'Retry' }).click()
  await settled(page)
  await page.context().close()
})

test('the name of a deep span comes into view as it is selected, that of the root again after', async () => {
  const { page } = await openPage(shop, `/trace/${deep.traceId}`)
  await settled(page)
  const isInNames = async (name: string): Promise<boolean> => {
    const names = (await page.locator('.names').boundingBox())!
    const box = await page.locator('.names').getByText(name, { exact: true }).boundingBox()
    return box !== null && box.x >= names.x && box.x + box.width <= names.x + names.width
  }
  for (let step = 0; step < 55; step++) await page.keyboard.press('ArrowDown')
  await eventually(() => isInNames('level 56'), Boolean, 'the name of level 56 is in view')
  for (let step = 0; step < 55; step++) await page.keyboard.press('ArrowUp')
  await eventually(() => isInNames('level 1'), Boolean, 'the name of the root is in view')
  await page.context().close()
})

test('the theme follows the system until it is chosen', async () => {
  const { page } = await openPage(shop, richPath, 'light')
  await settled(page)
  const theme = (): Promise<string> => page.evaluate<string>('document.documentElement.dataset.theme')
  assert.equal(await theme(), 'light')
  await page.emulateMedia({ colorScheme: 'dark' })
  await eventually(theme, (now) => now === 'dark', 'follows the system')
  await page.getByRole('button', { name: 'Switch to the light theme' }).click()
  await eventually(theme, (now) => now === 'light', 'as chosen')
  await page.reload()
  await settled(page)
  assert.equal(await theme(), 'light')
  await page.context().close()
})
