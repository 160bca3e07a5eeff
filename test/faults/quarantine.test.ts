/** A block that the store refuses for good is kept aside, does not hold up the next ones, and can be got back. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Block } from '../../src/storage/clickhouse/engine.ts'
import { runClew, temporaryFolder } from '../scenarios/clew-process.ts'
import { spanIdOf, spansOf, traceRequest } from '../support/numbered-requests.ts'
import { awaitStored, exportedSpans } from '../support/stored-spans.ts'
import { openStoring, type Storing } from '../support/storing.ts'
import { serveFor, type Ending } from '../support/served.ts'

const refusedRequests = [3, 4, 5]
const requests = 9

async function send({ otlpUrl }: Storing, n: number): Promise<void> {
  const headers = { 'content-type': 'application/x-protobuf' }
  const body = new Uint8Array(traceRequest(n))
  const { status } = await fetch(`${otlpUrl}/v1/traces`, { method: 'POST', headers, body })
  assert.equal(status, 200)
}

/** A data folder in which the engine refused the block of some requests. */
async function folderWithRefusedBlock(t: Ending): Promise<string> {
  const dir = temporaryFolder()
  let isRefusing = false
  // Trace ids of another length than the block has: the engine itself finds it broken.
  const broken = (block: Block): Block => ({ ...block, structure: block.structure.replace('String(16)', 'String(17)') })
  const storing = await openStoring(t, {
    dir,
    // Long enough for the requests to come into one block.
    blockWaitMs: 700,
    beforeInsert: (block) => Promise.resolve(isRefusing ? broken(block) : block),
  })
  for (let n = 0; n < 3; n++) await send(storing, n)
  await storing.drained()
  isRefusing = true
  for (const n of refusedRequests) await send(storing, n)
  while (storing.writer.problem === undefined) await sleep(20)
  assert.match(storing.writer.problem, /cannot insert into traces/)
  await storing.drained()
  isRefusing = false
  for (let n = 6; n < requests; n++) await send(storing, n)
  await storing.drained()
  await sleep(50)
  assert.equal(storing.writer.problem, undefined)
  await storing.close()
  return dir
}

test('a refused block is kept with its reason, the next ones are stored, and its records can be sent again', async (t) => {
  const dir = await folderWithRefusedBlock(t)
  const [block = '', ...others] = readdirSync(join(dir, 'quarantine'))
  assert.deepEqual([block, others], ['3-6', []])
  const folder = join(dir, 'quarantine', block)
  const records = refusedRequests.map((n) => `${n}.otlp-traces-protobuf`)
  assert.deepEqual(readdirSync(folder).sort(), [...records, 'reason.txt'])
  assert.match(readFileSync(join(folder, 'reason.txt'), 'utf8'), /cannot insert into traces: /)
  for (const [i, record] of records.entries()) {
    assert.deepEqual(readFileSync(join(folder, record)), traceRequest(refusedRequests[i]!))
  }

  const clew = await serveFor(t, dir)
  const spansBut = (left: readonly number[]): string[] =>
    Array.from({ length: requests }, (_, n) => n)
      .filter((n) => !left.includes(n))
      .flatMap((n) => spansOf(n).map(spanIdOf))
      .sort()
  assert.deepEqual([...(await exportedSpans(clew.url)).keys()].sort(), spansBut(refusedRequests))

  const doctor = await runClew(['doctor', '--url', clew.url])
  assert.equal(doctor.code, 1)
  assert.ok(
    doctor.stdout.includes(`! 1 block that could not be stored is in ${join(dir, 'quarantine')}, with the reason`),
  )
  assert.match(doctor.stdout, /to do: read reason\.txt there; .* `clew import`/)

  const imported = await runClew(['import', ...records.map((record) => join(folder, record)), '--url', clew.url])
  assert.equal(imported.code, 0, imported.stderr)
  await awaitStored(clew.url)
  const found = await exportedSpans(clew.url)
  assert.deepEqual([...found.keys()].sort(), spansBut([]))
  assert.ok([...found.values()].every((count) => count === 1))

  rmSync(folder, { recursive: true })
  assert.equal((await runClew(['doctor', '--url', clew.url])).code, 0)
  assert.equal((await clew.stop()).code, 0)
})
