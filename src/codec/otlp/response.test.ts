import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeExportResponse, encodeStatus } from './response.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('full success leaves partial_success unset: no bytes, or an empty object', () => {
  assert.equal(encodeExportResponse('protobuf', 'traces', undefined).length, 0)
  assert.equal(encodeExportResponse('json', 'traces', undefined).toString(), '{}')
})

test('a partial success counts the rejected rows, as text in JSON', () => {
  const partial = { rejected: 300, errorMessage: 'no' }
  // 1 partial_success {1 rejected_spans: 300 = ac 02, 2 error_message: "no"}
  assert.equal(hex(encodeExportResponse('protobuf', 'logs', partial)), '0a0708ac0212026e6f')
  const names = { traces: 'rejectedSpans', logs: 'rejectedLogRecords', metrics: 'rejectedDataPoints' } as const
  for (const [signal, name] of Object.entries(names)) {
    assert.deepEqual(JSON.parse(encodeExportResponse('json', signal as keyof typeof names, partial).toString()), {
      partialSuccess: { [name]: '300', errorMessage: 'no' },
    })
  }
})

test('a warning has a message and rejects nothing', () => {
  const text = encodeExportResponse('json', 'traces', { rejected: 0, errorMessage: 'mind this' }).toString()
  assert.equal(text, '{"partialSuccess":{"errorMessage":"mind this"}}')
})

test('a status says when to retry and where the mistake is', () => {
  const status = { code: 8, message: 'full', retryAfterMs: 1500, field: undefined }
  assert.deepEqual(JSON.parse(encodeStatus('json', status).toString()), {
    code: 8,
    message: 'full',
    details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.5s' }],
  })
  const retryInfo = `0a28${hex(Buffer.from('type.googleapis.com/google.rpc.RetryInfo'))}`
  // Any.value = RetryInfo {1 retry_delay {1 seconds: 1, 2 nanos: 500,000,000 = 80 ca b5 ee 01}}
  const value = '120a0a0808011080cab5ee01'
  assert.equal(hex(encodeStatus('protobuf', status)), `0808120466756c6c1a36${retryInfo}${value}`)
  const bad = JSON.parse(encodeStatus('json', { code: 3, message: 'bad', retryAfterMs: 0, field: 'a[0]' }).toString())
  assert.deepEqual(bad.details[0].fieldViolations, [{ field: 'a[0]', description: 'bad' }])
})

test('long messages are shortened, never inside a character', () => {
  const message = 'x'.repeat(498) + '😀😀'
  const { message: short } = JSON.parse(encodeStatus('json', { code: 3, message, retryAfterMs: 0 }).toString())
  assert.equal(short, 'x'.repeat(498) + '…')
})
