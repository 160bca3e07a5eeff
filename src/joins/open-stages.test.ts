import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpenStages } from './open-stages.ts'

test('stages close in reverse order, and one that fails keeps no other open', async () => {
  const closed: string[] = []
  const stages = new OpenStages()
  stages.onClose(() => void closed.push('lock'))
  const stage = (name: string) => ({
    close() {
      closed.push(name)
      return Promise.reject(new Error(`cannot close ${name}`))
    },
  })
  const log = stage('log')
  assert.equal(stages.add(log), log)
  stages.add(stage('store'))
  stages.onClose(() => {
    closed.push('quiet')
    throw new Error('cannot stop quiet')
  })
  await assert.rejects(stages.close(), /cannot stop quiet/)
  assert.deepEqual(closed, ['quiet', 'store', 'log', 'lock'])
  await stages.close()
  assert.equal(closed.length, 4, 'each is closed once')
})
