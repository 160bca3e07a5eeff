/** The store as a sink, and one of files, against the contract of sinks. */
import type { TestContext } from 'node:test'
import { ClickHouseSink } from '../../src/storage/clickhouse/sink.ts'
import { KnownKeys } from '../../src/storage/clickhouse/known-keys.ts'
import { FileSink } from '../support/file-sink.ts'
import { temporaryFolder } from '../support/temporary-log.ts'
import { temporaryEngine } from '../support/temporary-store.ts'
import { testSink, type OpenedSink } from './sink.ts'

testSink('file sink', async (t) => {
  const sink = new FileSink('files', await temporaryFolder(t))
  return { sink, stored: () => Promise.resolve(sink.lines) }
})

testSink('embedded store', async (t: TestContext): Promise<OpenedSink> => {
  const engine = await temporaryEngine(t)
  const sink = new ClickHouseSink({ engine, keys: new KnownKeys(), inserting: () => Promise.resolve(() => {}) })
  const stored = async (): Promise<string[]> => {
    const rows = await engine.query<[string]>('SELECT lower(hex(span_id)) FROM spans UNION ALL SELECT body FROM events')
    return rows.map(([row]) => row).sort()
  }
  return { sink, stored }
})
