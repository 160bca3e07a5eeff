import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failingErrorRatio, nodeLabel, nodeState, staleAfterNs } from './node.ts'

test('a node is stale after five minutes, and failing when a fifth of its calls fail', () => {
  const seen = { lastSeenNs: 0n, calls: 10, errors: 10 * failingErrorRatio }
  assert.equal(nodeState(seen, staleAfterNs), 'stale')
  assert.equal(nodeState(seen, staleAfterNs - 1n), 'failing')
  assert.equal(nodeState({ ...seen, errors: seen.errors - 1 }, 0n), 'up')
  assert.equal(nodeState({ lastSeenNs: 0n, calls: 0, errors: 0 }, 0n), 'up')
})

test('the label is the most exact name that the resource has', () => {
  const resource = (...keys: readonly string[]): Parameters<typeof nodeLabel>[0] =>
    keys.map((key) => ({ key, value: { type: 'string', value: `the ${key}` } }))
  const keys = ['container.id', 'host.id', 'host.name', 'k8s.pod.name', 'service.instance.id']
  assert.equal(nodeLabel(resource('service.name')), '')
  keys.forEach((key, i) => assert.equal(nodeLabel(resource(...keys.slice(0, i + 1))), `the ${key}`))
})
