/** All spans that a running clew gives back, counted span by span: through the search's summaries and the traces. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusAnswer, TraceSearchAnswer } from '../../src/api/native/contract.ts'
import { runClew } from '../scenarios/clew-process.ts'

export async function statusOf(url: string): Promise<StatusAnswer> {
  return (await (await fetch(`${url}/api/v1/status`)).json()) as StatusAnswer
}

/** The figures of what is stored are read again only after this time (stored-figures.ts). */
const figuresMs = 1100

/** Waits until everything in the log is stored, and the figures say so. */
export async function awaitStored(url: string, timeoutMs = 30_000): Promise<StatusAnswer> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const status = await statusOf(url)
    if (status.log.pendingRecords === 0) {
      await sleep(figuresMs)
      return await statusOf(url)
    }
    assert.ok(
      Date.now() < deadline,
      `still to be stored: ${JSON.stringify(status.log)}, ${JSON.stringify(status.problems)}`,
    )
    await sleep(50)
  }
}

/** How often each span id is given back by `clew export`. */
export async function exportedSpans(url: string): Promise<Map<string, number>> {
  const { code, stdout, stderr } = await runClew(['export', '--only', 'spans', '--url', url])
  assert.equal(code, 0, stderr)
  const counts = new Map<string, number>()
  for (const [, id = ''] of stdout.matchAll(/"spanId":\s*"([0-9a-f]{16})"/g)) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

/** The sum of what the search says each trace has. */
export async function summedSpans(url: string): Promise<number> {
  let sum = 0
  for (let cursor = ''; ;) {
    const page = await fetch(`${url}/api/v1/traces?limit=1000${cursor}`)
    assert.equal(page.status, 200)
    const { traces, nextCursor } = (await page.json()) as TraceSearchAnswer
    for (const { spanCount } of traces) sum += spanCount
    if (nextCursor === undefined) return sum
    cursor = `&cursor=${encodeURIComponent(nextCursor)}`
  }
}
