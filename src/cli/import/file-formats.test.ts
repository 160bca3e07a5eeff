import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { ChunkReader } from './chunk-reader.ts'
import { readChunks } from './file-bytes.ts'
import { readItems } from './file-formats.ts'
import { protobufGrammar } from './protobuf-grammar.ts'

const dir = mkdtempSync(join(tmpdir(), 'clew-import-'))

/** What a file with these bytes contains: `signal:records` of each element, and the messages of faults. */
async function itemsOf(bytes: Uint8Array | string): Promise<string[]> {
  const file = join(dir, 'file')
  writeFileSync(file, bytes)
  const found: string[] = []
  for await (const item of readItems(
    new ChunkReader(
      readChunks(file, () => {}),
      1 << 20,
    ),
    'FILE',
  )) {
    found.push('fault' in item ? item.fault.message : `${item.element.signal}:${item.element.records}`)
  }
  return found
}

const spans = (count: number): string => {
  const list = Array.from({ length: count }, (_, id) => ({ spanId: String(id), name: 'a "quoted" {name' }))
  return JSON.stringify({ resourceSpans: [{ resource: {}, scopeSpans: [{ spans: list }] }] })
}
const logs = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}]}]}]}'
/** A ResourceSpans with one span that has only a start. */
const protobufElement = Buffer.from([0x12, 0x0b, 0x12, 0x09, 0x39, 1, 2, 3, 4, 5, 6, 7, 8])
const protobuf = protobufGrammar.request('traces', [protobufElement, protobufElement])
const frame = (bytes: Uint8Array): Uint8Array => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

test('a single document, one document per line, indented and concatenated documents are read', async () => {
  assert.deepEqual(await itemsOf(spans(3)), ['traces:3'])
  assert.deepEqual(await itemsOf(`${spans(1)}\n${logs}\r\n\n${spans(2)}\n`), ['traces:1', 'logs:2', 'traces:2'])
  const indented = JSON.stringify(JSON.parse(spans(2)), null, 2)
  assert.deepEqual(await itemsOf(`\ufeff\n${indented}\n${indented}`), ['traces:2', 'traces:2'])
  assert.deepEqual(await itemsOf('{"resourceSpans":[]}'), [])
  assert.deepEqual(await itemsOf(''), [])
})

test('gzip and zstd are recognised, also several members in a row', async () => {
  assert.deepEqual(await itemsOf(gzipSync(spans(2))), ['traces:2'])
  assert.deepEqual(await itemsOf(zstdCompressSync(spans(2))), ['traces:2'])
  assert.deepEqual(await itemsOf(Buffer.concat([gzipSync(spans(1) + '\n'), gzipSync(spans(2) + '\n')])), [
    'traces:1',
    'traces:2',
  ])
})

test('protobuf is read element by element', async () => {
  assert.deepEqual(await itemsOf(protobuf), ['traces:1', 'traces:1'])
  assert.deepEqual(await itemsOf(gzipSync(protobuf)), ['traces:1', 'traces:1'])
})

test("frames of the Collector's file exporter are read: protobuf, plain and compressed", async () => {
  assert.deepEqual(await itemsOf(Buffer.concat([frame(protobuf), frame(protobuf)])), Array(4).fill('traces:1'))
  const compressed = [zstdCompressSync(spans(2)), zstdCompressSync(protobuf)].map(frame)
  assert.deepEqual(await itemsOf(Buffer.concat(compressed)), ['traces:2', 'traces:1', 'traces:1'])
})

test('after a broken line the other lines are still read', async () => {
  const cut = spans(2).slice(0, -20)
  assert.deepEqual(await itemsOf(`${spans(1)}\n${cut}\n${spans(3)}\n`), [
    'traces:1',
    'cannot import FILE: broken JSON document at byte 106',
    'traces:3',
  ])
  assert.deepEqual(await itemsOf(`${spans(1)}\n{"resourceSpans":[}]}\n${spans(3)}\n`), [
    'traces:1',
    'cannot import FILE: document at byte 106: broken JSON at "]}": expected ,',
    'traces:3',
  ])
  assert.deepEqual(await itemsOf(`${spans(1)}\n${cut}`), [
    'traces:1',
    'cannot import FILE: broken JSON document at byte 106',
  ])
  assert.deepEqual(await itemsOf('{"data":[{"traceID":"1"}]}'), [
    'cannot import FILE: document at byte 0: expected resourceSpans or resourceLogs, found data',
  ])
})

test('files of other formats, truncated and broken files are rejected with the reason', async () => {
  await assert.rejects(itemsOf('timestamp,name\n'), {
    code: 'unsupported_media_type',
    message: /^it is none of what clew imports/,
  })
  await assert.rejects(itemsOf('[{"traceId":"1"}]'), { message: /^it is none of what clew imports/ })
  await assert.rejects(itemsOf(protobuf.subarray(0, -1)), {
    message: /^ends 1 bytes too early, in what begins at byte 17$/,
  })
  await assert.rejects(itemsOf(Buffer.concat([protobuf, Buffer.from('rest')])), {
    message: /^broken OTLP protobuf at byte 30/,
  })
  await assert.rejects(itemsOf(gzipSync(spans(2)).subarray(0, -10)), {
    code: 'unsupported_encoding',
    message: /^broken gzip: /,
  })
})

test('a wrong length in a file does not use up the memory', async () => {
  await assert.rejects(itemsOf(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2])), { code: 'too_large' })
  await assert.rejects(itemsOf(Buffer.concat([Buffer.from('{"resourceSpans":['), Buffer.alloc(1 << 21, 0x20)])), {
    code: 'too_large',
  })
})
