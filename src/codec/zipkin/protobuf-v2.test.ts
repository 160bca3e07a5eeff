import assert from 'node:assert/strict'
import { test } from 'node:test'
import protobuf from 'protobufjs'
import { InputError } from '../../base/errors.ts'
import { damaged, seededRandom, spansOf } from '../../../test/support/span-decoding.ts'
import { printIpv4, printIpv6 } from './address.ts'
import { zipkinJsonV2 } from './json-v2.ts'
import { zipkinProtobufV2 } from './protobuf-v2.ts'

const context = { receivedAtMs: 1_700_000_000_000 }

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Endpoint { string service_name = 1; bytes ipv4 = 2; bytes ipv6 = 3; int32 port = 4; }
  message Annotation { fixed64 timestamp = 1; string value = 2; }
  message Span {
    bytes trace_id = 1; bytes parent_id = 2; bytes id = 3; int32 kind = 4; string name = 5; fixed64 timestamp = 6;
    uint64 duration = 7; Endpoint local_endpoint = 8; Endpoint remote_endpoint = 9; repeated Annotation annotations = 10;
    map<string, string> tags = 11; bool debug = 12; bool shared = 13; string later = 99;
  }
  message ListOfSpans { repeated Span spans = 1; }
`)
const ListOfSpans = root.lookupType('ListOfSpans')
const encode = (spans: readonly object[]): Uint8Array => ListOfSpans.encode(ListOfSpans.fromObject({ spans })).finish()
const hex = (text: string): Buffer => Buffer.from(text, 'hex')

const span = {
  traceId: hex('5982fe77008310cc80f1da5e10147517'),
  parentId: hex('90394f6bcffb5d13'),
  id: hex('67fae42571535f60'),
  kind: 2,
  name: 'GET /M/N',
  timestamp: 1_516_781_775_726_123,
  duration: 26_001,
  localEndpoint: {
    serviceName: 'Api',
    ipv4: Buffer.from([192, 168, 99, 1]),
    ipv6: hex('20010db8000000000000000000c00010'),
    port: 3306,
  },
  remoteEndpoint: { serviceName: 'web', ipv4: Buffer.from([172, 19, 0, 2]), port: 58_648 },
  annotations: [{ timestamp: 1_516_781_775_727_000, value: 'foo' }],
  tags: { 'http.method': 'GET', empty: '', error: 'no route' },
  debug: true,
  shared: true,
  later: 'unknown to us',
}
const sameAsJson = {
  traceId: '5982fe77008310cc80f1da5e10147517',
  parentId: '90394f6bcffb5d13',
  id: '67fae42571535f60',
  kind: 'SERVER',
  name: 'GET /M/N',
  timestamp: 1_516_781_775_726_123,
  duration: 26_001,
  localEndpoint: { serviceName: 'Api', ipv4: '192.168.99.1', ipv6: '2001:db8::c0:10', port: 3306 },
  remoteEndpoint: { serviceName: 'web', ipv4: '172.19.0.2', port: 58_648 },
  annotations: [{ timestamp: 1_516_781_775_727_000, value: 'foo' }],
  tags: { 'http.method': 'GET', empty: '', error: 'no route' },
  debug: true,
  shared: true,
}

test('protobuf gives the same rows as the same spans in JSON', () => {
  const { batch, rejected } = zipkinProtobufV2.decode(encode([span, { ...span, traceId: hex('01') }]), context)
  const json = zipkinJsonV2.decode(Buffer.from(JSON.stringify([sameAsJson, { ...sameAsJson, traceId: '1' }])), context)
  assert.equal(rejected, 0)
  assert.deepEqual(spansOf(batch), spansOf(json.batch))
})

const wrong: readonly [change: object, reason: RegExp][] = [
  [{ traceId: hex('00'.repeat(16)) }, /traceId is missing or all zero/],
  [{ traceId: hex('01'.repeat(17)) }, /trace_id has 17 bytes, not 16/],
  [{ id: hex('') }, /id is missing/],
  [{ kind: 9 }, /kind 9/],
  [{ timestamp: 2 ** 60 }, /timestamp is outside/],
  [{ localEndpoint: { port: 70_000 } }, /port 70000/],
]
for (const [change, reason] of wrong) {
  test(`only the span with ${Object.keys(change).join()} ${reason.source} is left out`, () => {
    const { batch, rejected, rejectedReason } = zipkinProtobufV2.decode(
      encode([span, { ...span, ...change }, span]),
      context,
    )
    assert.equal(batch.rows, 2)
    assert.equal(rejected, 1)
    assert.match(rejectedReason, reason)
  })
}

test('invalid UTF-8 is repaired and counted', () => {
  const odd = { ...span, name: 'name?', annotations: [{ timestamp: 1, value: 'note?' }], tags: { 'key?': 'value?' } }
  const bytes = Buffer.from(encode([span, { ...odd, localEndpoint: { serviceName: 'api?' } }, span]))
  for (let at = bytes.indexOf('?'); at >= 0; at = bytes.indexOf('?')) bytes[at] = 0xc3
  const { batch, rejected, repaired, repairedReason } = zipkinProtobufV2.decode(bytes, context)
  assert.deepEqual([batch.rows, rejected, repaired], [3, 0, 5])
  assert.match(repairedReason!, /name is not valid UTF-8/)
  const [first, row, last] = spansOf(batch)
  assert.deepEqual([row!.name, row!.events[0]!.name], ['name\ufffd', 'note\ufffd'])
  assert.match(row!.resource, /api\ufffd/)
  assert.deepEqual(row!.attributes.find(({ key }) => key === 'key\ufffd')?.value, {
    type: 'string',
    value: 'value\ufffd',
  })
  assert.deepEqual(last, first)
})

test('a parent of the wrong length makes the span a root', () => {
  const { batch, rejected, repaired } = zipkinProtobufV2.decode(
    encode([{ ...span, parentId: Buffer.alloc(9, 1) }]),
    context,
  )
  assert.deepEqual([rejected, repaired, spansOf(batch)[0]!.parentSpanId], [0, 1, ''])
})

test('damaged lists end in an error or in rows', () => {
  const random = seededRandom(7)
  const body = encode([span, span, span])
  let refused = 0
  for (let round = 0; round < 4000; round++) {
    try {
      spansOf(zipkinProtobufV2.decode(damaged(body, random), context).batch)
    } catch (error) {
      assert.ok(error instanceof InputError, String(error))
      refused++
    }
  }
  assert.ok(refused > 500)
})

test('addresses are printed as in RFC 5952', () => {
  assert.equal(printIpv4(Uint8Array.of(10, 0, 0, 255)), '10.0.0.255')
  assert.equal(printIpv4(Uint8Array.of(10)), '')
  const addresses = {
    '00000000000000000000000000000000': '::',
    '00000000000000000000000000000001': '::1',
    '20010db8000000000001000000000001': '2001:db8::1:0:0:1',
    '20010db8000100000001000100010001': '2001:db8:1:0:1:1:1:1',
    '20010000000000010000000000000000': '2001:0:0:1::',
  }
  for (const [bytes, text] of Object.entries(addresses)) assert.equal(printIpv6(hex(bytes)), text)
})
