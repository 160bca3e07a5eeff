import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError } from '../../base/errors.ts'
import { slicesOf } from '../../model/batch-slices.ts'
import { EventBlock } from '../../storage/clickhouse/block/event-block.ts'
import { SpanBlock } from '../../storage/clickhouse/block/span-block.ts'
import { TraceBlock } from '../../storage/clickhouse/block/trace-block.ts'
import { traceSpansOf } from '../../storage/clickhouse/block/trace-spans.ts'
import { ByteWriter } from '../../storage/clickhouse/native/byte-writer.ts'
import { writeBlock } from '../../storage/clickhouse/native/column.ts'
import { KeyNotes } from '../../storage/key-kinds.ts'
import { codecNamed } from '../codecs.ts'
import type { Batch, Codec } from '../codec.ts'
import { LargeBodies } from './large-bodies.ts'

const context = { receivedAtMs: 1_700_000_000_000 }

function threads(t: { after(work: () => Promise<void>): void }): LargeBodies {
  const bodies = new LargeBodies()
  t.after(() => bodies.close())
  return bodies
}

function span(i: number, more = ''): string {
  const ids = `"traceId":"${String(i).padStart(32, '1')}","id":"${String(i).padStart(16, '2')}"`
  return `{${ids},"name":"n${i % 7}","timestamp":17000000000000${i % 100},"localEndpoint":{"serviceName":"s${i % 3}"}${more}}`
}

const large: readonly { name: string; codec: string; body: () => Buffer }[] = [
  {
    name: 'spans with events, tags and services',
    codec: 'zipkin-json-v2',
    body: () => {
      const more = ',"annotations":[{"timestamp":1700000000000001,"value":"cached"}],"tags":{"http.status_code":"200"}'
      return Buffer.from(`[${Array.from({ length: 8000 }, (_, i) => span(i, i % 2 ? more : '')).join(',')}]`)
    },
  },
  {
    name: 'one span with 30,000 events and tags',
    codec: 'zipkin-json-v2',
    body: () => {
      const annotations = Array.from({ length: 30_000 }, (_, i) => `{"timestamp":1,"value":"a${i}"}`)
      const tags = Array.from({ length: 60_000 }, (_, i) => `"tag-${i}":"v"`)
      return Buffer.from(
        `[${span(1, `,"annotations":[${annotations.join(',')}],"tags":{${tags.join(',')}}`)},${span(2)}]`,
      )
    },
  },
  {
    name: 'events of every kind of value',
    codec: 'events-json',
    body: () => Buffer.from('{"message":"m","service":"shop","list":[1,{"a":null}],"n":4.5,"ok":true}\n'.repeat(6000)),
  },
]

for (const { name, codec: codecName, body: make } of large) {
  test(`a large body decodes in the thread to the same batch: ${name}`, async (t) => {
    const codec = codecNamed(codecName) as Codec
    const body = make()
    const bodies = threads(t)
    const result = bodies.decode(codec, body, context)
    assert.ok(result instanceof Promise)
    assert.deepEqual(plain(await result), plain(codec.decode(body, context)))
    assert.equal(bodies.decoded, 1)
  })

  test(`its slices make the same rows as the whole: ${name}`, async () => {
    const { batch } = (codecNamed(codecName) as Codec).decode(make(), context)
    const slices = [...slicesOf(batch)]
    assert.ok(slices.length > 2, 'it comes in several slices')
    assert.equal(await tablesOf(slices), await tablesOf([batch]))
  })
}

test('a small body is decoded at once', (t) => {
  const bodies = threads(t)
  const result = bodies.decode(codecNamed('zipkin-json-v2') as Codec, Buffer.from(`[${span(1)}]`), context)
  assert.ok(!(result instanceof Promise))
  assert.equal(result.batch.rows, 1)
})

test('a wrong large body gives an error, and the next one is decoded', async (t) => {
  const codec = codecNamed('zipkin-json-v2') as Codec
  const bodies = threads(t)
  const wrong = bodies.decode(codec, Buffer.alloc(1 << 20, '['), context)
  const right = bodies.decode(codec, large[0]!.body(), context)
  await assert.rejects(async () => await wrong, InputError)
  assert.equal((await right).batch.rows, 8000)
})

/** The blocks of the three tables that the batches fill, as the engine gets them. */
async function tablesOf(batches: readonly Batch[]): Promise<string> {
  const notes = new KeyNotes()
  const [spans, traces, events] = [new SpanBlock(notes), new TraceBlock(), new EventBlock(notes)]
  for (const batch of batches) {
    if (batch.signal === 'events') events.add(batch)
    else {
      const first = spans.rows
      spans.add(batch)
      traces.add(traceSpansOf(batch, (row) => spans.presentAt(first + row)))
    }
  }
  await traces.finish(1, new Set())
  const out = new ByteWriter(1 << 16)
  for (const { columns, rows } of [spans, traces, events]) await writeBlock(columns, rows, out)
  return Buffer.from(out.view()).toString('latin1')
}

/** Arenas may have unused room at the end, contents undefined. */
function plain({ batch, ...rest }: ReturnType<Codec['decode']>): unknown {
  const { arena, ...columns } = batch
  return { ...rest, columns, used: Buffer.from(arena).toString('latin1').replace(/\0+$/, '') }
}
