/**
 * The pictures of the docs, taken from the real program in both themes. `npm run screenshots` writes them to docs/images;
 * a test run writes them to a folder that is removed, and checks that each shows what it should.
 */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { countShown, openPage, openShop, pictureFolder, send, settled } from './driving.ts'
import type { Shop, Theme } from './driving.ts'
import { ordinaryTrace, richTrace, seeded } from './shop-traces.ts'

let shop: Shop
const folder = pictureFolder()
const now = Date.now()
const random = seeded(3)
const ordinary = Array.from({ length: 900 }, () => ordinaryTrace(now - 60_000 - random() ** 1.2 * 3_450_000, random))
const rich = richTrace(now - 50_000)
const pictureBytesMin = 20_000

before(async () => {
  shop = await openShop()
  await send(shop, [...ordinary, rich])
})
after(() => shop.close())

for (const theme of ['dark', 'light'] satisfies Theme[]) {
  test(`explore, ${theme}`, async () => {
    const { page, problems } = await openPage(shop, '/explore', theme)
    await countShown(page, ordinary.length + 1)
    await page.locator('.facet-value').first().waitFor()
    await page.waitForTimeout(300)
    const path = join(folder, `explore-${theme}.png`)
    await page.screenshot({ path })
    assert.ok(statSync(path).size > pictureBytesMin)
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test(`trace, ${theme}`, async () => {
    const { page, problems } = await openPage(shop, `/trace/${rich.traceId}`, theme)
    await settled(page)
    await page.keyboard.press('e')
    await settled(page)
    const path = join(folder, `trace-${theme}.png`)
    await page.screenshot({ path })
    assert.ok(statSync(path).size > pictureBytesMin)
    assert.deepEqual(problems, [])
    await page.context().close()
  })
}
