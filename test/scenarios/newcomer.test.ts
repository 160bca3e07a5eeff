/**
 * README.md from top to bottom, as somebody does who has never seen clew: the package in an empty folder, started, programs
 * of three languages with the one variable that it names, its questions, an export, and an import elsewhere. The commands
 * are read from the file; only ports and the trace's id are put in.
 */
import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { StatusAnswer, TraceSearchAnswer } from '../../src/api/native/contract.ts'
import { goProgram } from '../support/go.ts'
import { pythonWith } from '../support/python.ts'
import { readmeCommands } from '../support/readme.ts'
import { freePorts, temporaryFolder } from './clew-process.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const folder = temporaryFolder()
const python = pythonWith([
  'opentelemetry-sdk==1.45.1',
  'opentelemetry-exporter-otlp-proto-grpc==1.45.1',
  'opentelemetry-exporter-otlp-proto-http==1.45.1',
])
const go = goProgram(join(root, 'test/apps/otlp-go'))
const started: ChildProcess[] = []

interface Started {
  readonly url: string
  /** host:port of OTLP. */
  readonly otlp: string
  readonly env: Record<string, string>
}

before(async () => {
  await run(process.execPath, [join(root, 'scripts/build.ts')], { cwd: root })
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
  await run('npm', ['install', '--no-audit', '--no-fund', `./${tarball}`], { cwd: folder, timeout: 240_000 })
})
after(() => started.forEach((child) => child.kill('SIGKILL')))

/** A person has a home, and the data goes where the README says it goes without being asked. */
async function start(name: string): Promise<Started> {
  const home = join(folder, name)
  mkdirSync(home)
  const env = { HOME: home, TZ: 'UTC', PATH: `${join(folder, 'node_modules/.bin')}:${process.env.PATH}` }
  const server = spawn('clew', ['serve', ...freePorts], { env, cwd: home, stdio: ['ignore', 'pipe', 'ignore'] })
  started.push(server)
  let output = ''
  for await (const chunk of server.stdout) {
    output += String(chunk)
    if (/clew is ready: \S+\n/.test(output)) break
  }
  const url = /clew is ready: (\S+)\n/.exec(output)![1]!
  const { listeners, dataDir } = (await (await fetch(`${url}/api/v1/status`)).json()) as StatusAnswer
  assert.equal(dataDir, join(home, '.local/share/clew'))
  const { port } = listeners.find((listener) => listener.name === 'otlp/http')!
  return { url, otlp: `localhost:${port}`, env: { ...env, CLEW_URL: url } }
}

/** Runs a line of the README in a shell. */
async function shell(clew: Started, line: string): Promise<string> {
  const { stdout } = await run('bash', ['-ec', line], { env: clew.env, cwd: clew.env.HOME, timeout: 60_000 })
  return stdout
}

/** So many traces, once the store has them. */
async function tracesOf(clew: Started, count: number): Promise<TraceSearchAnswer['traces']> {
  for (const deadline = Date.now() + 15_000; ; await sleep(200)) {
    const answer = await fetch(`${clew.url}/api/v1/traces?limit=100`)
    const { traces } = (await answer.json()) as TraceSearchAnswer
    if (traces.length >= count || Date.now() > deadline) return traces
  }
}

const services = (traces: TraceSearchAnswer['traces']): string[] =>
  traces.map(({ rootService }) => rootService ?? '').sort()

test(
  'from an empty folder to traces in a second clew',
  { skip: ('missing' in python && python.missing) || ('missing' in go && go.missing) },
  async () => {
    const clew = await start('first')
    const [exportLine, ...curls] = readmeCommands('Send').map((line) => line.replaceAll('localhost:4318', clew.otlp))
    const endpoint = /^export OTEL_EXPORTER_OTLP_ENDPOINT=(\S+)$/.exec(exportLine!)![1]!
    const env = { ...clew.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }
    await run(process.execPath, [join(import.meta.dirname, 'newcomer-app.mjs')], { env, timeout: 60_000 })
    await run('python' in python ? python.python : '', [join(import.meta.dirname, 'newcomer-app.py')], {
      env,
      timeout: 60_000,
    })
    await run('program' in go ? go.program : '', ['grpc', endpoint, 'none'], { env, timeout: 60_000 })
    assert.equal(curls.length, 1)
    assert.match(await shell(clew, curls[0]!), /"accepted":1/)

    const traces = await tracesOf(clew, 3)
    // The trace of Go begins below a parent that nobody sent.
    assert.deepEqual(new Set(services(traces)), new Set(['', 'javascript-app', 'python-app']))
    const { traceId } = traces.find(({ rootService }) => rootService === 'python-app')!

    const questions = readmeCommands('Ask').map((line) => line.replace(/\b[0-9a-f]{32}\b/, traceId))
    const said = new Map<string, string>()
    // What is imported is what was exported, so the export comes first.
    const imports = questions.filter((line) => line.startsWith('clew import'))
    for (const line of questions.filter((each) => !imports.includes(each)))
      said.set(line.split(' ')[1]!, await shell(clew, line))
    assert.ok(questions.length >= 7)
    assert.match(said.get('trace')!, /python-app +hello/)
    for (const service of ['ferry', 'javascript-app', 'python-app'])
      assert.match(said.get('services')!, new RegExp(`^${service} `, 'm'))
    assert.match(said.get('doctor')!, /nothing is wrong\n$/)

    const second = await start('second')
    const [, file = ''] = /^clew import (\S+)/.exec(imports[0]!) ?? []
    copyFileSync(join(clew.env.HOME!, file), join(second.env.HOME!, file))
    for (const line of imports) await shell(second, line)
    assert.deepEqual(services(await tracesOf(second, 3)), services(traces))
    assert.match(await shell(second, 'clew doctor'), /nothing is wrong\n$/)
  },
)
