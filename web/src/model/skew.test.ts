import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printValue } from './otlp-json.ts'
import type { OtlpTraces } from './otlp-json.ts'
import { decodeSpans } from './span-list.ts'
import { drawnOtlp, drawnTrace, nodeNamed } from './testing/drawn-trace.ts'
import { has, nodeFlags } from './trace.ts'
import { buildTree } from './tree.ts'

const behind = `
    shop pay :server        |                ==========
      shop call :client     |                 ========
        cart get :server    |      ======
          cart read         |       ==
`

test('a server that starts before its caller is skewed, and the shift puts it inside the call', () => {
  const raw = drawnTrace(behind)
  assert.deepEqual(raw.tree.skews, [{ service: 'cart', shift: 12e6, spans: 2 }])
  assert.equal(has(raw.tree, nodeNamed(raw, 'cart get'), nodeFlags.skewed), true)
  assert.equal(has(raw.tree, nodeNamed(raw, 'cart read'), nodeFlags.skewed), false)
  const adjusted = drawnTrace(behind, true)
  const at = (name: string): number =>
    (adjusted.timing.start[nodeNamed(adjusted, name)]! - adjusted.timing.start[0]!) / 1e6
  assert.equal(at('cart get'), 2)
  assert.equal(at('cart read'), 3)
})

/** Like `behind`, with each service on its host. */
function onHosts(hosts: Readonly<Record<string, string>>): OtlpTraces {
  const { resourceSpans } = drawnOtlp(behind)
  return {
    resourceSpans: resourceSpans!.map(({ resource, scopeSpans }) => ({
      resource: {
        attributes: [
          ...resource!.attributes!,
          { key: 'host.name', value: { stringValue: hosts[printValue(resource!.attributes![0]!.value)]! } },
        ],
      },
      scopeSpans: scopeSpans!,
    })),
  }
}

test('two programs on one host share a clock', () => {
  const skews = (traces: OtlpTraces): number => buildTree(decodeSpans(traces)).tree.skews.length
  assert.equal(skews(onHosts({ shop: 'a', cart: 'b' })), 1)
  assert.equal(skews(onHosts({ shop: 'a', cart: 'a' })), 0)
})

test('starts that are rounded to a millisecond may disagree by a millisecond', () => {
  const call = (serverAheadNanos: bigint): number => {
    const traces = drawnOtlp(`
      shop call :client     |   ========
        cart get :server    |   ====
    `)
    const span = traces.resourceSpans![1]!.scopeSpans![0]!.spans![0]! as Record<string, unknown>
    span['startTimeUnixNano'] = String(BigInt(span['startTimeUnixNano'] as string) - serverAheadNanos)
    return buildTree(decodeSpans(traces)).tree.skews.length
  }
  assert.equal(call(0n), 0)
  assert.equal(call(2_000_000n), 0, 'both rounded')
  assert.equal(call(3_000_000n), 1)
  assert.equal(call(900_001n), 0, 'one rounded')
  assert.equal(call(1_100_001n), 1)
})

test('a server inside its call is left alone', () => {
  const { tree } = drawnTrace(`
    shop call :client     |========
      cart get :server    | ======
  `)
  assert.deepEqual(tree.skews, [])
})

test('a server that outlives a caller that gave up is not skewed', () => {
  const { tree } = drawnTrace(`
    shop call :client     |====
      cart get :server    | =========
  `)
  assert.deepEqual(tree.skews, [])
})

test('spans below a skewed service move with it', () => {
  const trace = drawnTrace(
    `
    shop call :client       |      ==========
      cart get :server      |========
        cart call :client   | ======
          db read :server   |  ====
  `,
    true,
  )
  assert.deepEqual(
    trace.tree.skews.map(({ service, shift }) => [service, shift / 1e6]),
    [
      ['cart', 7],
      ['db', 7],
    ],
  )
})
