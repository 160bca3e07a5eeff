import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceClient } from './trace-client.ts'
import { TracePanel } from './trace-panel.ts'

/** A worker that answers only on command. */
function askedPanel() {
  const answers: { readonly asked: string; readonly resolve: (value: unknown) => void }[] = []
  const ask = ({ ask, node }: { ask: string; node: number }): Promise<unknown> =>
    new Promise((resolve) => answers.push({ asked: `${ask} ${node}`, resolve }))
  const panel = new TracePanel({ ask } as unknown as TraceClient)
  return {
    panel,
    asked: () => answers.map(({ asked }) => asked),
    answer: async (asked: string, value: unknown): Promise<void> => {
      for (const each of answers) if (each.asked === asked) each.resolve(value)
      await Promise.resolve()
    },
  }
}

test('an answer for a node that is no longer shown is dropped, whatever was shown in between', async () => {
  const { panel, answer } = askedPanel()
  panel.show(1, true)
  panel.show(2, true)
  panel.show(1, true)
  await answer('logs 2', 'of 2')
  assert.deepEqual(panel.content.value, { node: 1, details: undefined, logs: undefined, logsError: undefined })
  await answer('logs 1', 'of 1')
  await answer('details 1', 'details')
  assert.deepEqual(panel.content.value, { node: 1, details: 'details', logs: 'of 1', logsError: undefined })
})

test('a node is loaded once while it is shown; groups and missing parents are not loaded', () => {
  const { panel, asked } = askedPanel()
  panel.show(3, false)
  assert.deepEqual(panel.content.value?.logs, { own: [], others: [] })
  panel.show(4, true)
  panel.show(4, true)
  assert.deepEqual(asked(), ['details 4', 'logs 4'])
})
