/** Ctrl-C on a long command, typed at a real terminal: Python's pty is one. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from './clew-process.ts'

const main = join(import.meta.dirname, '../../src/main.ts')

/** Runs a command on a terminal, types Ctrl-C once the progress bar is drawn, prints what came and the exit code. */
const terminal = `
import os, pty, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
out = b''
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:
        break
    if not part:
        break
    if b'import ' in out + part and b'\\x03' not in out:
        os.write(terminal, b'\\x03')
        out += b'\\x03'
    out += part
sys.stdout.buffer.write(out)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`

test('Ctrl-C in an import gives the terminal its cursor and line wrapping back', async (t) => {
  // Takes the request and never answers, so the import is under way.
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.after(() => silent.closeAllConnections())
  t.after(() => silent.close())
  const file = join(temporaryFolder(), 'spans.jsonl')
  const span = {
    traceId: '1'.repeat(32),
    spanId: '2'.repeat(16),
    name: 'a',
    startTimeUnixNano: '1',
    endTimeUnixNano: '2',
  }
  writeFileSync(file, `${JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })}\n`)
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const child = spawn('python3', ['-c', terminal, process.execPath, main, 'import', file, '--otlp-url', url])
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 130)
  const hidden = output.lastIndexOf('\x1b[?25l')
  assert.ok(hidden >= 0, 'the bar was drawn')
  assert.ok(output.lastIndexOf('\x1b[?25h') > hidden, 'the cursor is shown again')
  assert.ok(output.lastIndexOf('\x1b[?7h') > output.lastIndexOf('\x1b[?7l'), 'lines wrap again')
})
