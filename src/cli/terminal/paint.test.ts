import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paintFor } from './paint.ts'

test('colour is used only on a terminal without NO_COLOR, at the depth that the terminal supports', () => {
  const terminal = (depth: number, isTTY = true) =>
    ({ isTTY, getColorDepth: () => depth }) as unknown as NodeJS.WriteStream
  assert.equal(paintFor(terminal(24, false), {}).error('x'), 'x')
  assert.equal(paintFor(terminal(24), { NO_COLOR: '1' }).service(0, 'x'), 'x')
  assert.equal(paintFor(terminal(24), {}).service(0, 'x'), '\u001b[38;2;255;171;113mx\u001b[0m')
  assert.equal(paintFor(terminal(8), {}).service(0, 'x'), '\u001b[38;5;215mx\u001b[0m')
  assert.equal(paintFor(terminal(4), {}).service(7, 'x'), '\u001b[32mx\u001b[0m')
})
