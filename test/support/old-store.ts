/** A store as an earlier version of the schema wrote it, and what the present one is to find in it. */
import assert from 'node:assert/strict'
import type { Engine } from '../../src/storage/clickhouse/engine.ts'
import { readServices } from '../../src/storage/clickhouse/read/catalog/services.ts'
import { readTrace } from '../../src/storage/clickhouse/read/trace-read.ts'
import { startRollups } from '../../src/storage/clickhouse/rollup/scheduler.ts'
import { readVersion, schemaVersion } from '../../src/storage/clickhouse/schema/migrate.ts'
import { openEngine } from './temporary-store.ts'

const traceId = '0123456789abcdef0123456789abcdef'

export async function inStore(dir: string, work: (engine: Engine) => Promise<void>): Promise<void> {
  const engine = openEngine(dir)
  try {
    await work(engine)
  } finally {
    await engine.close()
  }
}

/** As version 1 wrote it: only columns that it had, named one by one. */
export async function writeAsVersion1(engine: Engine): Promise<void> {
  await engine.execute(
    `INSERT INTO spans (trace_id, span_id, service_name, name, kind, start_time, duration, status_code, http_route, attributes_string)
     VALUES (unhex('${traceId}'), unhex('00000000000000aa'), 'web', 'GET', 2, fromUnixTimestamp64Nano(toInt64(1795000200000000001)),
       5000, 2, '/pay', map('old', 'value'))`,
  )
  await engine.execute(
    `INSERT INTO traces (trace_id, start_time, end_time, span_count, error_count, root_service, root_name, columns, summary)
     VALUES (unhex('${traceId}'), fromUnixTimestamp64Nano(toInt64(1795000200000000001)), fromUnixTimestamp64Nano(toInt64(1795000200000005001)),
       1, 1, 'web', 'GET', 0xffffffff,
       '["1795000200000000001","1795000200000005001",["web","GET",2],[["web",1,1]]]')`,
  )
}

export async function checkStore(engine: Engine): Promise<void> {
  assert.equal(await readVersion(engine), schemaVersion)
  for (const known of [
    { columns: -1, spans: 0 },
    { columns: 0, spans: 1e12 },
  ]) {
    const [span, ...more] = await readTrace(engine, traceId, { spansMax: 10, known })
    assert.deepEqual(more, [])
    assert.equal(span!.name, 'GET')
    assert.deepEqual(span!.attributes.map(({ key }) => key).sort(), ['http.route', 'old'])
  }
  assert.deepEqual(await engine.query('SELECT SpanName, SpanAttributes FROM otel_traces'), [
    ['GET', { 'http.route': '/pay', old: 'value' }],
  ])
  const rollups = await startRollups({
    engine,
    intervalMs: 1e9,
    now: () => 1_795_001_000_000,
    onProblem: (_, error) => assert.fail(String(error)),
  })
  // What an earlier version stored and did not roll up.
  const services = await readServices({ engine, rollups }, {})
  assert.deepEqual(
    services.map(({ name, calls, errors }) => [name, calls, errors]),
    [['web', 1, 1]],
  )
  await rollups.stop()
}
