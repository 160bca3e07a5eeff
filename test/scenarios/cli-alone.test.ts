/** The command line where no clew runs: help, wrong usage, configuration, and what `doctor` finds on the machine. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { printConfigurationDocs } from '../../src/cli/config-docs.ts'
import { freePortsExcept, runClew, temporaryFolder } from './clew-process.ts'

const commands = ['serve', 'traces', 'trace', 'events', 'services', 'nodes', 'import', 'export', 'doctor', 'config']

test('without arguments it prints help that names every command', async () => {
  const { code, stdout, stderr } = await runClew([])
  assert.deepEqual([code, stderr], [0, ''])
  for (const command of commands) assert.match(stdout, new RegExp(`^  ${command}\\b`, 'm'))
})

test('each command has help with examples', async () => {
  const results = await Promise.all(commands.map((command) => runClew([command, '--help'])))
  for (const [index, { code, stdout }] of results.entries()) {
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`^Examples?:\\n  clew ${commands[index]}\\b`, 'm'), commands[index] ?? '')
  }
})

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string
  }
  assert.deepEqual(await runClew(['--version']), { code: 0, signal: null, stdout: `${version}\n`, stderr: '' })
})

test('wrong usage ends with 2 and says what would be right', async () => {
  const cases: [string[], RegExp][] = [
    [['serv'], /unknown command 'serv'\n\(Did you mean serve\?\)/],
    [['serve', '--otlp-htp-port', '1'], /unknown option '--otlp-htp-port'\n\(Did you mean --otlp-http-port\?\)/],
    [['serve', '--ui-port', '99999'], /cannot use "99999" for --ui-port: expected a port from 0 to 65535/],
    [['traces', '--since', 'yesterday'], /Expected a duration such as 15m, 1h or 2d/],
    [['traces', '--since', '1h', '--start', '-2h'], /cannot be used with/],
    [['traces', '--attribute', 'user.id'], /Expected key=value/],
    [['traces', '--limit', '0'], /Expected a whole number of at least 1/],
    [['traces', '--url', 'http://'], /cannot use "http:\/\/" for --url: expected an address such as/],
    [['trace'], /missing required argument 'id'/],
    [['events', '--severity', 'loud'], /Allowed choices are trace, debug, info, warn, error, fatal/],
    [['import', 'x', '--request-bytes', 'big'], /Expected a size of at least 1KiB/],
  ]
  const results = await Promise.all(cases.map(([args]) => runClew(args)))
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    assert.deepEqual([code, stdout], [2, ''], String(cases[index]?.[0].join(' ')))
    assert.match(stderr, cases[index]?.[1] ?? /^$/)
  }
})

test('a wrong configuration ends with 2, every fault on a line', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'clew.yaml'), 'ui.port: 70000\nquery.timeot: 3s\n')
  const { code, stdout, stderr } = await runClew(['serve', '--config', 'clew.yaml'], { cwd: folder })
  assert.deepEqual([code, stdout], [2, ''])
  assert.equal(
    stderr,
    `cannot use ${folder}/clew.yaml:2: unknown key query.timeot; did you mean query.timeout?\n` +
      `cannot use "70000" for ui.port (${folder}/clew.yaml:1): expected a port from 0 to 65535, where 0 takes any free port\n`,
  )
})

test('config refuses what serve would refuse at its start', async () => {
  const folder = temporaryFolder()
  for (const [text, message] of [
    ['tail:\n  - { paths: /var/log/a.log, parsr: json }\n', /^cannot use tail\[0\]: unknown key parsr.*clew\.yaml:1\)/],
    ['forward.tls: true\n', /^cannot use forward\.tls: it needs tls\.cert and tls\.key/],
    ['forward.users: nobody\n', /^cannot read forward\.users: expected name:password/],
    ['jaeger.sampling.file: /nonexistent.json\n', /^cannot read \/nonexistent\.json: ENOENT/],
  ] as const) {
    writeFileSync(join(folder, 'clew.yaml'), text)
    const { code, stdout, stderr } = await runClew(['config', '--config', 'clew.yaml'], { cwd: folder })
    assert.deepEqual([code, stdout], [2, ''], text)
    assert.match(stderr, message)
  }
})

test('config prints each value and where it came from', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'clew.yaml'), 'ui.port: 7171\nstore.readers: 3\n')
  const env = { CLEW_QUERY_TIMEOUT: '1m', CLEW_UI_PORT: '7272' }
  const args = ['config', '--config', 'clew.yaml', '--ui-port', '7373', '--durability-sync', 'false']
  const { code, stdout } = await runClew(args, { env, cwd: folder })
  assert.equal(code, 0)
  const line = (name: string) =>
    stdout
      .split('\n')
      .find((each) => each.startsWith(`${name} `))
      ?.split(/\s{2,}/)
  assert.deepEqual(line('ui.port'), ['ui.port', '7373', '--ui-port'])
  assert.deepEqual(line('query.timeout'), ['query.timeout', '1m', 'CLEW_QUERY_TIMEOUT'])
  assert.deepEqual(line('store.readers'), ['store.readers', '3', `${folder}/clew.yaml:2`])
  assert.deepEqual(line('durability.sync'), ['durability.sync', 'false', '--durability-sync'])
  assert.deepEqual(line('host'), ['host', '127.0.0.1', 'default'])
  const json = await runClew([...args, '--json'], { env, cwd: folder })
  const { config, origins, file } = JSON.parse(json.stdout) as Record<string, Record<string, unknown>>
  assert.deepEqual([config?.ui, file], [{ port: 7373 }, `${folder}/clew.yaml`])
  assert.deepEqual(origins?.['ui.port'], { source: 'flag', place: '--ui-port', text: '7373' })
})

test('config never prints a secret, and doctor asks for no port of a receiver that is off', async () => {
  const env = { CLEW_FORWARD_SHARED_KEY: 'tea4two', CLEW_FORWARD_USERS: 'ada:tea4two' }
  const table = await runClew(['config'], { env })
  assert.match(table.stdout, /^forward\.shared_key +\(secret\) +CLEW_FORWARD_SHARED_KEY$/m)
  const json = await runClew(['config', '--json'], { env })
  assert.ok(!`${table.stdout}${json.stdout}`.includes('tea4two'))
  const off = await runClew([
    'doctor',
    ...freePortsExcept('syslog.port'),
    '--syslog-port',
    '15514',
    '--syslog-enabled',
    'false',
  ])
  assert.ok(!off.stdout.includes('15514'), off.stdout)
  const tls = ['--syslog-tls-port', '16514']
  const withoutTls = await runClew(['doctor', ...freePortsExcept('syslog.tls_port'), ...tls])
  assert.ok(!withoutTls.stdout.includes('16514'), withoutTls.stdout)
})

test('config --docs prints the page in docs', async () => {
  assert.equal((await runClew(['config', '--docs'])).stdout, printConfigurationDocs())
})

test('commands that ask a clew say when there is none, and how to start it', async () => {
  const url = `http://127.0.0.1:${await closedPort()}`
  const calls = [
    ['traces'],
    ['trace', '0'.repeat(31) + '1'],
    ['events'],
    ['services'],
    ['nodes'],
    ['import', '-'],
    ['export'],
  ]
  const results = await Promise.all(calls.map((args) => runClew([...args, '--url', url])))
  for (const { code, stdout, stderr } of results) {
    assert.deepEqual([code, stdout], [1, ''])
    assert.equal(
      stderr,
      `cannot reach clew at ${url}: connection refused; start it with \`clew serve\`, or name its address with --url\n`,
    )
  }
})

test('an address where something else answers is told apart from clew', async () => {
  const server = createServer((socket) =>
    socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'),
  )
  const port = await listen(server)
  const { code, stderr } = await runClew(['traces', '--url', `127.0.0.1:${port}`])
  server.close()
  assert.deepEqual(
    [code, stderr],
    [1, `cannot ask http://127.0.0.1:${port}: no clew API there (404); name its address with --url\n`],
  )
})

test('import of a file that is not there ends with 1 before anything is sent', async () => {
  const { code, stderr } = await runClew(['import', 'nowhere.json', '--otlp-url', 'http://127.0.0.1:1'])
  assert.equal(code, 1)
  assert.match(stderr, /^cannot import nowhere\.json: ENOENT/)
})

test('import names the option of the address it cannot reach', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'spans.json'), '{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}')
  const url = `http://127.0.0.1:${await closedPort()}`
  const { code, stderr } = await runClew(['import', 'spans.json', '--otlp-url', url], { cwd: folder })
  assert.equal(code, 1)
  assert.match(stderr, /^cannot reach clew at http:\S+: connection refused; .* with --otlp-url$/m)
})

test('doctor finds a port in use and its holder, and says what moves clew', async () => {
  const server = createServer()
  const port = await listen(server)
  const uiPort = await closedPort()
  const moved = ['--otlp-grpc-port', String(port), '--ui-port', String(uiPort)]
  const args = ['doctor', ...freePortsExcept('ui.port', 'otlp.grpc.port'), ...moved]
  const { code, stdout } = await runClew(args)
  server.close()
  assert.equal(code, 1)
  assert.match(stdout, new RegExp(`^port ${port} +in use by process ${process.pid} \\(.*\\) +wrong !$`, 'm'))
  assert.match(
    stdout,
    new RegExp(
      `^! port ${port}: in use .*\\n  to do: stop process ${process.pid}, or move clew with --otlp-grpc-port$`,
      'm',
    ),
  )
  assert.match(stdout, new RegExp(`^port ${uiPort} +free \\(ui\\.port\\) +ok$`, 'm'))
  assert.match(stdout, /^! cannot reach clew at .*: connection refused\n {2}to do: start it with `clew serve`/m)
})

test('doctor finds a data folder that another process writes to, and one that is a file', async () => {
  const folder = temporaryFolder()
  openSync(join(folder, 'segment'), 'w') // stays open: this process is the holder
  const ports = [...freePortsExcept('ui.port'), '--ui-port', String(await closedPort())]
  const held = await runClew(['doctor', ...ports, '--data', folder])
  assert.match(held.stdout, new RegExp(`^! data folder in use: by process ${process.pid} `, 'm'))
  writeFileSync(join(folder, 'file'), '')
  const file = await runClew(['doctor', ...ports, '--data', join(folder, 'file'), '--json'])
  const { running, problems } = JSON.parse(file.stdout) as {
    running: boolean
    problems: { message: string; remedy: string }[]
  }
  assert.deepEqual([file.code, running], [1, false])
  assert.deepEqual(problems[1], {
    message: `data folder: ${folder}/file is no folder`,
    remedy: 'name another one with --data',
  })
})

test('doctor finds a data folder it may not write to', async (t) => {
  const folder = join(temporaryFolder(), 'locked')
  mkdirSync(folder)
  // Modes do not stop root, a read-only disk does.
  if (process.getuid?.() === 0) {
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'clew-read-only', folder])
    assert.equal(status, 0, String(stderr))
    t.after(() => void spawnSync('umount', ['--lazy', folder]))
  } else chmodSync(folder, 0o555)
  const { stdout } = await runClew(['doctor', '--data', join(folder, 'data'), '--ui-port', String(await closedPort())])
  assert.match(stdout, new RegExp(`^! data folder: ${folder} is not writable$`, 'm'))
})

test('doctor finds too little disk space and memory', async () => {
  const args = ['--disk-min-free', '8000TiB', '--store-memory', '8000TiB', '--ui-port', String(await closedPort())]
  const { stdout } = await runClew(['doctor', ...freePortsExcept('ui.port'), ...args])
  assert.match(stdout, /^! free disk space: .*\n {2}to do: make room: below 8000 TiB \(--disk-min-free\)/m)
  assert.match(stdout, /^! memory: .*\n {2}to do: lower --store-memory$/m)
})

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
}

/** A port on which nothing listens: it was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}
