/** A page of another site in a real browser tries to read and to write a clew on this machine. */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { serveClew, type ServedClew } from '../scenarios/clew-process.ts'
import { launchChromium } from './driving.ts'

let clew: ServedClew
let browser: Browser
let site: Server
let siteUrl: string

before(async () => {
  site = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<h1>shop</h1>'))
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  const { port } = site.address() as AddressInfo
  siteUrl = `http://evil.example:${port}/`
  clew = await serveClew(undefined, ['--cors-origins', `http://shop.example:${port}`])
  // What DNS rebinding does: names of other sites resolve to this machine.
  browser = await launchChromium('--host-resolver-rules=MAP *.example 127.0.0.1')
})

after(async () => {
  await browser?.close()
  await clew?.stop()
  site?.close()
})

async function pageOn(url: string): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(url)
  return page
}

/** Sends an event as a page may without asking first: text/plain needs no preflight. */
function postEvent(page: Page, message: string): Promise<string> {
  return page.evaluate(
    ([url, body]) =>
      fetch(url!, { method: 'POST', mode: 'no-cors', headers: { 'content-type': 'text/plain' }, body: body! }).then(
        (response) => `answer ${response.type}`,
        (error: unknown) => String(error),
      ),
    [`${clew.otlpUrl}/events`, JSON.stringify({ message })] as const,
  )
}

async function storedMessages(): Promise<string[]> {
  const response = await fetch(`${clew.url}/api/v1/events?limit=100`)
  const { events } = (await response.json()) as { events: { body: string }[] }
  return events.map(({ body }) => body)
}

async function eventually(message: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if ((await storedMessages()).includes(message)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.fail(`${message} was never stored`)
}

test('a foreign page cannot write an event, one of a listed origin can', async () => {
  await postEvent(await pageOn(siteUrl), 'from a foreign page')
  await postEvent(await pageOn(siteUrl.replace('evil', 'shop')), 'from the shop')
  await eventually('from the shop')
  assert.deepEqual(await storedMessages(), ['from the shop'])
})

test('a foreign page reads nothing, not even when its own name resolves to this machine', async () => {
  const foreign = await pageOn(siteUrl)
  const read = (page: Page, url: string): Promise<string> =>
    page.evaluate(
      (target) =>
        fetch(target).then(
          (r) => r.text(),
          (error: unknown) => String(error),
        ),
      url,
    )
  assert.match(await read(foreign, `${clew.url}/api/v1/services`), /TypeError: Failed to fetch/)
  const rebound = clew.url.replace('127.0.0.1', 'evil.example')
  const page = await pageOn(`${rebound}/api/v1/services`)
  assert.match(await page.innerText('body'), /evil\.example:\d+\\" is not a name of this server/)
  assert.match(await read(page, `${rebound}/api/v1/events`), /"code":"forbidden"/)
})

test('a page of the UI tells browsers to run and load only what is its own', async () => {
  const { headers } = await fetch(clew.url, { headers: { accept: 'text/html' } })
  const policy = headers.get('content-security-policy')!
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /script-src 'self'(;|$)/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('x-frame-options'), 'DENY')
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
})
