/**
 * What storing a million spans costs, as a ratio: the whole way through a running clew against the engine alone
 * inserting the same rows as native columns, in turn within one run, merges counted in both, and of clew the rollups of
 * all closed buckets. The first tenth of the load warms both up and is not counted: compiling the program takes a second
 * of CPU whatever comes after it.
 *
 * The engine is measured with blocks of 50,000 rows, and with as large ones as clew's, which cost it less: `ratio` is to
 * the first, `ratioSameBlocks` to the second.
 *
 *   node bench/ingest/run.ts --load DIR [--rounds 2] [--flags='--rollup-interval 1h']
 *
 * DIR: see bench/support/load.ts. Prints one JSON line a round and a summary.
 */
import os from 'node:os'
import { parseArgs } from 'node:util'
import { otlpTracesProtobuf } from '../../src/codec/otlp/traces-protobuf.ts'
import type { SpanBatch } from '../../src/model/span-batch.ts'
import { openEmbedded } from '../../src/storage/clickhouse/embedded.ts'
import type { Engine } from '../../src/storage/clickhouse/engine.ts'
import { ByteWriter } from '../../src/storage/clickhouse/native/byte-writer.ts'
import { structureOf, writeBlock } from '../../src/storage/clickhouse/native/column.ts'
import { migrate } from '../../src/storage/clickhouse/schema/migrate.ts'
import { SpanBlock } from '../../src/storage/clickhouse/block/span-block.ts'
import { KeyNotes } from '../../src/storage/key-kinds.ts'
import { benchFolder, startClew, type MeasuredClew } from '../support/clew.ts'
import { percentile, readBodies, readManifest, sendAll } from '../support/load.ts'

const { values } = parseArgs({
  options: {
    load: { type: 'string' },
    rounds: { type: 'string', default: '2' },
    flags: { type: 'string', default: '' },
  },
})
if (values.load === undefined) throw new Error('--load DIR is needed')

const blockRows = 50_000
const clewBlockRows = 100_000
const million = 1_000_000
/** Share of the load that is sent first and not counted. */
const warmShare = 0.1

const bodies = readBodies(values.load)
const { spans } = readManifest(values.load)
const rounds = []
for (let round = 0; round < Number(values.rounds); round++) {
  const engine = await measureEngine(blockRows)
  const clew = await measureClew()
  const sameBlocks = await measureEngine(clewBlockRows)
  const ratio = +(clew.cpuPerMillion / engine.cpuPerMillion).toFixed(2)
  const ratioSameBlocks = +(clew.cpuPerMillion / sameBlocks.cpuPerMillion).toFixed(2)
  rounds.push({ engine, sameBlocks, clew, ratio, ratioSameBlocks })
  console.log(JSON.stringify(rounds.at(-1)))
}
const ratios = rounds.map(({ ratio }) => ratio).sort((a, b) => a - b)
console.log(
  JSON.stringify({ spans, cpus: os.cpus()[0]?.model, cores: os.cpus().length, node: process.version, ratios }),
)

/** Blocks are encoded first and not counted; then inserted and merged by a fresh engine with the same settings. */
async function measureEngine(rowsPerBlock: number): Promise<{ cpuPerMillion: number; bytesPerSpan: number }> {
  const dir = benchFolder()
  const engine = openEmbedded({
    dir,
    memoryBytesMax: 1200 * 2 ** 20,
    queryMemoryBytesMax: 2 ** 29,
    queryTimeoutMs: 60_000,
    readers: 1,
    queriesWaitingMax: 200,
  })
  await migrate(engine, { sync: true })
  const { blocks, structure } = await encodeBlocks(rowsPerBlock)
  const insert = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++)
      await engine.insert({ table: 'spans', structure, bytes: [blocks[i]!], token: `b${i}` })
  }
  const warm = Math.ceil(blocks.length * warmShare)
  await insert(0, warm)
  await settle(engine)
  const [[warmRows] = ['0']] = await engine.query<[string]>('SELECT count() FROM spans')
  const before = process.cpuUsage()
  await insert(warm, blocks.length)
  await settle(engine)
  const used = process.cpuUsage(before)
  const [row] = await engine.query<[string, string]>(
    "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE table = 'spans' AND active",
  )
  await engine.close()
  const rows = Number(row![0])
  return {
    cpuPerMillion: perMillion((used.user + used.system) / 1e6, rows - Number(warmRows)),
    bytesPerSpan: +(Number(row![1]) / rows).toFixed(1),
  }
}

async function encodeBlocks(rows: number): Promise<{ blocks: Uint8Array[]; structure: string }> {
  const block = new SpanBlock(new KeyNotes())
  const blocks: Uint8Array[] = []
  const flush = async (): Promise<void> => {
    const out = new ByteWriter(1 << 20)
    await writeBlock(block.columns, block.rows, out)
    blocks.push(out.view())
    block.reset()
  }
  for (const body of bodies) {
    block.add(otlpTracesProtobuf.decode(body, { receivedAtMs: 0 }).batch as SpanBatch)
    if (block.rows >= rows) await flush()
  }
  if (block.rows > 0) await flush()
  return { blocks, structure: structureOf(block.columns) }
}

/** Waits until the engine merges nothing and has not for eight seconds, as with clew: the older parts are, the sooner it merges few. */
async function settle(engine: Engine): Promise<void> {
  for (let quiet = 0; quiet < 16; quiet++) {
    await new Promise((resolve) => setTimeout(resolve, 500))
    const [row] = await engine.query<[string]>('SELECT count() FROM system.merges')
    if (row![0] !== '0') quiet = -1
  }
}

async function measureClew(): Promise<Record<string, number> & { cpuPerMillion: number }> {
  const clew = await startClew(values.flags.split(' ').filter((flag) => flag !== ''))
  try {
    const url = `http://127.0.0.1:${clew.ports['otlp/http']}/v1/traces`
    const warm = Math.ceil(bodies.length * warmShare)
    const warmSpans = Math.round((spans * warm) / bodies.length)
    await sendAll(bodies.slice(0, warm), url)
    await stored(clew, warmSpans)
    const before = clew.cpuSeconds()
    const sent = await sendAll(bodies.slice(warm), url)
    await stored(clew, spans)
    const used = clew.cpuSeconds() - before
    const bytes = await storeBytes(clew)
    return {
      cpuPerMillion: perMillion(used, spans - warmSpans),
      spansPerSecond: Math.round((spans - warmSpans) / sent.seconds),
      requestMsP50: +percentile(sent.latencies, 0.5).toFixed(1),
      requestMsP99: +percentile(sent.latencies, 0.99).toFixed(1),
      retries: sent.retries,
      peakRssMb: Math.round(clew.memory().peak / 1e6),
      storeBytesPerSpan: +(bytes / spans).toFixed(1),
    }
  } finally {
    await clew.stop()
  }
}

/** Of the parts in use; those that a merge replaced stay on disk for eight minutes more. */
async function storeBytes(clew: MeasuredClew): Promise<number> {
  const { stored } = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as { stored: { diskBytes: number } }
  return stored.diskBytes
}

/**
 * Waits until this many spans are in the store, all closed buckets are rolled up (one may be open), and the process has used
 * next to no CPU for eight seconds: merges are over.
 */
async function stored(clew: MeasuredClew, count: number): Promise<void> {
  for (let still = 0; still < 4;) {
    const before = clew.cpuSeconds()
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const answer = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as { stored: { spans: number } }
    const isStored = answer.stored.spans >= count && (await pendingBuckets(clew)) <= 1
    still = isStored && clew.cpuSeconds() - before < 0.1 ? still + 1 : 0
  }
}

async function pendingBuckets(clew: MeasuredClew): Promise<number> {
  const metrics = await (await fetch(`${clew.url}/metrics`)).text()
  return Number(/^clew_rollup_pending_buckets (\d+)/m.exec(metrics)![1])
}

function perMillion(seconds: number, rows: number): number {
  return +((seconds / rows) * million).toFixed(2)
}
