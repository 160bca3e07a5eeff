/** A real Chromium on a real `clew serve`, and traces sent to it over OTLP. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { serveClew, temporaryFolder } from '../scenarios/clew-process.ts'
import type { ServedClew } from '../scenarios/clew-process.ts'
import { logsRequest, tracesRequest } from './shop-traces.ts'
import type { DrawnTrace } from './shop-traces.ts'

const chromiumPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const chromiumArguments = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** Generous, as the machine may be busy: no test is about speed. */
const patienceMs = 30_000
const spansPerRequest = 2000

export function launchChromium(...more: readonly string[]): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath, args: [...chromiumArguments, ...more] })
}

export interface Shop {
  readonly clew: ServedClew
  readonly browser: Browser
  close(): Promise<void>
}

export async function openShop(): Promise<Shop> {
  const clew = await serveClew()
  const browser = await launchChromium()
  return {
    clew,
    browser,
    async close() {
      await browser.close()
      await clew.stop()
    },
  }
}

export type Theme = 'dark' | 'light'

/** A page in a browser profile of its own; anything that it logs as an error fails the test through `problems`. */
export async function openPage(
  shop: Shop,
  path: string,
  theme: Theme = 'dark',
): Promise<{ page: Page; problems: string[] }> {
  const context = await shop.browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: theme,
    timezoneId: 'Europe/Berlin',
  })
  context.setDefaultTimeout(patienceMs)
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.stack ?? error.message))
  page.on('console', (message) => {
    // An answer that is an error is logged too, and tests ask for those.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      problems.push(message.text())
  })
  await page.goto(shop.clew.url + path)
  return { page, problems }
}

/** Sends traces with their logs and waits until a search finds `total` of them. */
export async function send(shop: Shop, traces: readonly DrawnTrace[], total = traces.length): Promise<void> {
  let batch: DrawnTrace[] = []
  let spans = 0
  for (const trace of traces) {
    batch.push(trace)
    for (const list of trace.spans.values()) spans += list.length
    if (spans < spansPerRequest && trace !== traces.at(-1)) continue
    await post(shop, '/v1/traces', tracesRequest(batch))
    if (batch.some(({ logs }) => logs.size > 0)) await post(shop, '/v1/logs', logsRequest(batch))
    batch = []
    spans = 0
  }
  const end = Date.now() + patienceMs
  for (;;) {
    const { total: found } = (await (await fetch(`${shop.clew.url}/api/v1/traces?limit=1`)).json()) as { total: number }
    if (found >= total) return
    if (Date.now() > end) throw new Error(`only ${found} of ${total} traces are found`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function post(shop: Shop, path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(shop.clew.otlpUrl + path, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await response.text()
  if (response.status !== 200 || text.includes('partialSuccess')) throw new Error(`${path}: ${response.status} ${text}`)
}

/** Waits until `read` answers something that `isRight` accepts; the last answer is in the error. */
export async function eventually<T>(read: () => Promise<T>, isRight: (value: T) => boolean, what: string): Promise<T> {
  const end = Date.now() + patienceMs
  for (;;) {
    const value = await read()
    if (isRight(value)) return value
    if (Date.now() > end) throw new Error(`${what}: it is ${JSON.stringify(value)} after ${patienceMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The number of traces in the count line, once it stands still. */
export async function countShown(page: Page, expected: number): Promise<void> {
  const text = async (): Promise<string> => (await page.locator('.count-line .figure').first().textContent()) ?? ''
  await eventually(text, (shown) => shown.startsWith(`${expected} trace`), `count line should say ${expected}`)
}

/** All pixels of the bars. */
export function barPixels(page: Page): Promise<string> {
  return page.evaluate<string>("document.querySelector('.bars canvas').toDataURL()")
}

/** Waits until the trace is drawn and nothing moves any more. */
export async function settled(page: Page): Promise<string> {
  await page.locator('[role=treegrid] [role=row]').first().waitFor()
  let before = ''
  return eventually(
    async () => {
      const now = (await barPixels(page)) + (await page.locator('.panel').allInnerTexts()).join('')
      const isSame = now === before
      before = now
      await page.waitForTimeout(200)
      return isSame ? now : ''
    },
    (picture) => picture !== '',
    'the picture should stand still',
  )
}

/** Where pictures go: docs/images when asked for (`CLEW_SCREENSHOTS`), else a folder that is removed. */
export function pictureFolder(): string {
  const folder = process.env['CLEW_SCREENSHOTS'] ?? join(temporaryFolder(), 'images')
  mkdirSync(folder, { recursive: true })
  return folder
}
