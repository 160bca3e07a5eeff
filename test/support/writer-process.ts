/**
 * The real log, engine and writer in a process that kills itself at a chosen point:
 *   node writer-process.ts DIR append FIRST COUNT   requests FIRST… into the log, nothing stored
 *   node writer-process.ts DIR straddle FIRST COUNT the spans of these requests and of the next one, packed in another way
 *   node writer-process.ts DIR store [KILL]         stores what is in the log, dying at KILL
 *   node writer-process.ts DIR census               prints what is stored, as JSON
 * KILL is `before TABLE`, `after TABLE`, `part of TABLE` (its first part just got its name), `TABLE+MS` (so long after the
 * insert began) or `before commit`.
 */
import { readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { openDecoder } from '../../src/joins/decoder.ts'
import type { Log, Position } from '../../src/model/log.ts'
import type { Block, Engine } from '../../src/storage/clickhouse/engine.ts'
import { migrate } from '../../src/storage/clickhouse/schema/migrate.ts'
import { KnownKeys } from '../../src/storage/clickhouse/known-keys.ts'
import { ClickHouseSink } from '../../src/storage/clickhouse/sink.ts'
import { startConsumer } from '../../src/storage/consumer.ts'
import { openLocalLog } from '../../src/transport/local/local-log.ts'
import { logRequest, straddlingRequest, traceRequest } from './numbered-requests.ts'
import { takeCensus } from './store-census.ts'
import { openEngine } from './temporary-store.ts'

const [dir = '', mode = '', ...rest] = process.argv.slice(2)

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  throw new Error('killed')
}

const openLog = (): Promise<Log> =>
  openLocalLog({ dir: join(dir, 'log'), sync: true, maxBytes: 1 << 28, minFreeBytes: 0 })

async function openStore(): Promise<Engine> {
  const engine = openEngine(join(dir, 'store'))
  await migrate(engine, { sync: true })
  return engine
}

async function append(first: number, count: number, isStraddling: boolean): Promise<void> {
  await (await openStore()).close()
  const log = await openLog()
  const header = { encoding: '', tenant: '', receivedAtMs: Date.now() }
  for (let n = first; n < first + count; n++) {
    const body = isStraddling ? straddlingRequest(n) : traceRequest(n)
    await log.append({ ...header, signal: 'spans', codec: 'otlp-traces-protobuf', body })
    if (isStraddling) continue
    await log.append({ ...header, signal: 'events', codec: 'otlp-logs-protobuf', body: logRequest(n) })
  }
  await log.close()
}

/** The engine, deadly at one insert. */
async function deadlyEngine(engine: Engine, kill: string): Promise<Engine> {
  const [, place = '', named = ''] = /^(before|after|part of) (\w+)$/.exec(kill) ?? []
  const [, timed = '', ms = ''] = /^(\w+)\+(\d+)$/.exec(kill) ?? []
  const table = named || timed
  const folder = table === '' || table === 'commit' ? '' : await partFolder(engine, table)
  return {
    insert: async (block: Block) => {
      if (block.table !== table) return await engine.insert(block)
      if (place === 'before') die()
      if (ms !== '') setTimeout(die, Number(ms))
      const stopLooking = place === 'part of' ? dieAtNewPart(folder) : undefined
      await engine.insert(block)
      stopLooking?.()
      if (place === 'after') die()
    },
    query: (sql, options) => engine.query(sql, options),
    queryBlocks: (sql, options) => engine.queryBlocks(sql, options),
    stream: (sql, options) => engine.stream(sql, options),
    execute: (sql, options) => engine.execute(sql, options),
    abilities: engine.abilities,
    releaseMemory: () => engine.releaseMemory(),
    state: () => engine.state(),
    close: () => engine.close(),
  }
}

async function partFolder(engine: Engine, table: string): Promise<string> {
  const [row] = await engine.query<[string[]]>(`SELECT data_paths FROM system.tables WHERE name = '${table}'`)
  return row![0][0]!
}

/** Parts are written under names that begin with `tmp_` and renamed when whole: `PARTITION_FIRST_LAST_LEVEL`. */
function dieAtNewPart(folder: string): () => void {
  const parts = () => readdirSync(folder).filter((name) => /^\d+_\d+_\d+_\d+/.test(name))
  const known = new Set(parts())
  let isLooking = true
  const look = (): void => {
    if (parts().some((name) => !known.has(name))) die()
    if (isLooking) setImmediate(look)
  }
  look()
  return () => void (isLooking = false)
}

async function store(kill: string): Promise<void> {
  const log = await openLog()
  const engine = await openStore()
  const keys = new KnownKeys()
  await keys.load(engine)
  const writer = await startConsumer({
    log: kill !== 'before commit' ? log : deadlyLog(log),
    logId: 'log',
    sink: new ClickHouseSink({
      engine: await deadlyEngine(engine, kill),
      keys,
      inserting: () => Promise.resolve(() => {}),
    }),
    decode: openDecoder(1 << 24, pino({ level: 'silent' })),
    blockRows: 50_000,
    blockWaitMs: 200,
    batchesBytesMax: 1 << 24,
    onProblem: (message, error) => writeSync(2, `${message}: ${String(error)}\n`),
    quarantine: () => Promise.reject(new Error('nothing is to be set aside')),
  })
  await writer.stop()
  await engine.close()
  await log.close()
}

/** Commits cuts, and dies before it commits that a block is done. */
function deadlyLog(log: Log): Log {
  return {
    append: (record) => log.append(record),
    capabilities: log.capabilities,
    read: (from: Position) => log.read(from),
    async consume(name, listener) {
      const consumer = await log.consume(name, listener)
      return {
        commit: (partition, state) => (state.cutEnd === undefined ? die() : consumer.commit(partition, state)),
        leave: () => consumer.leave(),
      }
    },
    stats: () => log.stats(),
    close: () => log.close(),
  }
}

async function census(): Promise<void> {
  const engine = await openStore()
  writeSync(1, JSON.stringify(await takeCensus(engine)))
  await engine.close()
}

if (mode === 'append' || mode === 'straddle') await append(Number(rest[0]), Number(rest[1]), mode === 'straddle')
else if (mode === 'store') await store(rest[0] ?? '')
else await census()
