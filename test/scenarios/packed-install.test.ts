/** The package as npm makes it, installed into an empty folder and run by whatever Node the machine has. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { freePorts, temporaryFolder } from './clew-process.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const folder = temporaryFolder()
/** Without the Node of this checkout in front, so that `#!/usr/bin/env node` finds the machine's own. */
const env = {
  ...process.env,
  PATH: process.env
    .PATH!.split(':')
    .filter((part) => !part.startsWith(root))
    .join(':'),
}

let clew: string
const started: ReturnType<typeof spawn>[] = []

before(async () => {
  const node = join(root, 'node_modules/.bin/node')
  await run(node, [join(root, 'scripts/build.ts')], { cwd: root })
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root, env })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
  await run('npm', ['install', '--no-audit', '--no-fund', `./${tarball}`], { cwd: folder, env, timeout: 240_000 })
  clew = join(folder, 'node_modules/.bin/clew')
})

after(() => started.forEach((child) => child.kill('SIGKILL')))

test('the installed program runs on the Node it brought, whichever started it', async () => {
  const { stdout } = await run(clew, ['--version'], { env })
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  const wrong = await run(clew, ['trace'], { env }).catch((error: unknown) => error as { code: number; stderr: string })
  assert.deepEqual(['code' in wrong && wrong.code, /missing required argument/.test(wrong.stderr)], [2, true])
})

test('the installed server answers, shows its pages and stops in order', async () => {
  const server = spawn(clew, ['serve', '--data', join(folder, 'data'), ...freePorts], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  started.push(server)
  let output = ''
  for await (const chunk of server.stdout) {
    output += String(chunk)
    if (/clew is ready: \S+\n/.test(output)) break
  }
  const url = /clew is ready: (\S+)\n/.exec(output)![1]!
  assert.match(await (await fetch(url, { headers: { accept: 'text/html' } })).text(), /<div id="app">/)
  const ended = once(server, 'exit')
  server.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
})
