import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runTests } from './test-run.ts'

const folder = mkdtempSync(join(tmpdir(), 'clew-test-run-'))
after(() => rmSync(folder, { recursive: true }))

/** What the runner says of one test file with this content, and what it prints. */
async function ran(content: string, timeoutMs = 10_000, again = false) {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.test.mjs`)
  writeFileSync(file, `import { test } from 'node:test'\n${content}`)
  let printed = ''
  const print = (text: string) => void (printed += text)
  const totals = await runTests({ files: [file], concurrency: 2, timeoutMs, show: 'failed', print, again: () => again })
  return { ...totals, printed }
}

test('passed, failed and left-out tests are counted', async () => {
  const left = ['sk', 'ip'].join('')
  const run = await ran(`test('a', () => {}); test('b', () => { throw new Error('no') }); test.${left}('c', () => {})`)
  assert.deepEqual([run.passed, run.failed], [1, 1])
  assert.match(run.skipped.join(), /test\.mjs: c$/)
  assert.match(run.printed, /Error: no/)
  assert.match(run.failures.join(), /test\.mjs: b\nError: no/)
})

test('a file that passes prints nothing', async () => {
  assert.equal((await ran(`test('a', () => {})`)).printed, '')
})

test('a file that leaves something open is killed and has failed', async () => {
  const run = await ran(`test('a', () => { setInterval(() => {}, 1000) })`, 700)
  assert.equal(run.failed, 1)
  assert.match(run.printed, /was killed: it had not ended after 0\.7 s/)
  assert.match(run.failures.join(), /was killed/)
})

test('a process that a file leaves behind holds up nothing', async () => {
  const left = `import { spawn } from 'node:child_process'
    test('a', () => { spawn('sleep', ['60'], { stdio: 'inherit' }).unref() })`
  const run = await ran(left)
  assert.deepEqual([run.passed, run.failed], [1, 0])
})

test('a file that dies has failed', async () => {
  assert.equal((await ran(`process.exit(0)`)).failed, 1)
  const early = await ran(`throw new Error('early')`)
  assert.equal(early.failed, 1)
  assert.match(early.failures.join(), /Error: early/)
})

test('a file that passes at its second try says at the end why it failed at the first', async () => {
  const mark = join(folder, 'tried')
  const content = `import { existsSync, writeFileSync } from 'node:fs'
    test('a', () => {
      if (existsSync('${mark}')) return
      writeFileSync('${mark}', '')
      throw new Error('first')
    })`
  const run = await ran(content, 10_000, true)
  assert.deepEqual([run.passed, run.failed], [1, 0])
  assert.match(run.failures.join(), /is run once more.*Error: first/s)
})

test('a file whose process crashes is run once more, whatever it tests', async () => {
  const crashed = await ran(`process.kill(process.pid, 'SIGSEGV')`)
  assert.deepEqual([crashed.passed, crashed.failed], [0, 1])
  assert.match(crashed.failures.join(), /crashed and is run once more.*ended with SIGSEGV.*ended with SIGSEGV/s)
  const refused = await ran(`process.exit(3)`)
  assert.doesNotMatch(refused.failures.join(), /run once more/)
})
