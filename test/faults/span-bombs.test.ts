/** Zipkin and Jaeger bodies of the largest size, made to cost much more memory or time than they are long. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError } from '../../src/base/errors.ts'
import { codecNamed } from '../../src/codec/codecs.ts'
import { fullBytes, repeatedText } from '../support/full-body.ts'

const msMax = 10_000
const heapGrowthMax = 700e6

/** A list whose head says 62 Mi elements, all empty. */
const zeros = (...head: number[]): Buffer => Buffer.concat([Buffer.from(head), Buffer.alloc(fullBytes)])

const bombs: readonly [what: string, codec: string, body: () => Buffer, message: RegExp][] = [
  ['empty spans in JSON', 'zipkin-json-v2', () => repeatedText('{},', '[', ']'), /more than 1048576 wrong spans/],
  [
    'empty annotations in JSON',
    'zipkin-json-v2',
    () => repeatedText('{},', '[{"traceId":"1","id":"1","annotations":[', ']}]'),
    /more than 1000000 events, fields and links/,
  ],
  [
    'tags of one span in JSON',
    'zipkin-json-v2',
    () => repeatedText('"":"",', '[{"traceId":"1","id":"1","tags":{', '}}]'),
    /more than 4194304 tags/,
  ],
  [
    'small spans in JSON',
    'zipkin-json-v2',
    () => repeatedText('{"traceId":"1","id":"1"},', '[', ']'),
    /more than 1048576 rows/,
  ],
  ['brackets in JSON', 'zipkin-json-v2', () => repeatedText('['), /nests deeper than 512 levels/],
  ['v1 JSON', 'zipkin-json-v1', () => repeatedText('{},', '[', ']'), /more than 16777216 bytes of Zipkin v1 JSON/],
  ['empty spans in protobuf', 'zipkin-protobuf-v2', () => repeatedText('\n\0'), /more than 1048576 wrong spans/],
  ['empty spans in Zipkin thrift', 'zipkin-thrift-v1', () => zeros(12, 3, 0xe0, 0, 0), /more than 1048576 wrong spans/],
  [
    'empty spans in Jaeger thrift',
    'jaeger-thrift-batch',
    () => zeros(12, 0, 1, 0, 15, 0, 2, 12, 3, 0xe0, 0, 0),
    /more than 1048576 wrong spans/,
  ],
  [
    'empty tags of a Jaeger span',
    'jaeger-thrift-batch',
    () => zeros(12, 0, 1, 0, 15, 0, 2, 12, 0, 0, 0, 1, 15, 0, 10, 12, 3, 0xe0, 0, 0),
    /more than 4194304 attributes/,
  ],
]

for (const [what, name, body, message] of bombs) {
  test(`a full body of ${what} is refused within bounds`, () => {
    const bytes = body()
    const memory = process.memoryUsage()
    const before = memory.heapUsed + memory.arrayBuffers
    const begun = performance.now()
    assert.throws(
      () => codecNamed(name)!.decode(bytes, { receivedAtMs: 1_700_000_000_000 }),
      (error) => error instanceof InputError && message.test(error.message),
    )
    assert.ok(performance.now() - begun < msMax)
    const after = process.memoryUsage()
    assert.ok(after.heapUsed + after.arrayBuffers - before < heapGrowthMax)
  })
}
