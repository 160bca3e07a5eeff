import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { InputError } from '../base/errors.ts'
import { environmentVariableOf, flagOf } from '../base/option.ts'
import { loadConfig, optionSections } from './config.ts'

const fixtures = join(import.meta.dirname, '../../test/fixtures/config')
const env = { HOME: '/home/ada' }
const rows = optionSections.flatMap((section) => [...section.options])

/** The mistake each fixture makes, as the person reads it. `FILE` stands for the fixture's path. */
const mistakes: Record<string, string> = {
  'unknown-key.yaml': 'cannot use FILE:1: unknown key otlp.htp.port; did you mean otlp.http.port?',
  'unknown-sink.yaml': 'cannot use "elsewhere" for log.held_by (FILE:2): expected names of sinks, which are store',
  'set-twice.yaml': 'cannot use FILE:3: ui.port is already set at FILE:2; keep one of them',
  'duplicate-key.yaml': 'cannot read FILE:3: Map keys must be unique',
  'broken-yaml.yaml':
    'cannot read FILE:3: Flow sequence in block collection must be sufficiently indented and end with a ]',
  'not-a-map.yaml': 'cannot read FILE:1: expected a map such as "otlp: { http: { port: 4318 } }"',
  'port-too-large.yaml':
    'cannot use "70000" for otlp.http.port (FILE:3): expected a port from 0 to 65535, where 0 takes any free port',
  'port-not-a-number.yaml':
    'cannot use "http" for ui.port (FILE:2): expected a port from 0 to 65535, where 0 takes any free port',
  'int-not-a-number.yaml':
    'cannot use "many" for store.readers (FILE:2): expected a whole number of sessions, from 1 to 64',
  'int-too-large.yaml': 'cannot use "65" for store.readers (FILE:2): expected a whole number of sessions, from 1 to 64',
  'size-unknown-unit.yaml':
    'cannot use "1200 megs" for store.memory (FILE:2): expected a size such as 64MiB or 500kB, at least 256MiB',
  'size-too-small.yaml':
    'cannot use "1MiB" for store.memory (FILE:2): expected a size such as 64MiB or 500kB, at least 256MiB',
  'duration-without-unit.yaml':
    'cannot use "30" for query.timeout (FILE:2): expected a duration in whole milliseconds such as 500ms, 30s, 5m, 1h or 7d, from 100ms to 1h',
  'duration-too-fine.yaml':
    'cannot use "1us" for query.timeout (FILE:2): expected a duration in whole milliseconds such as 500ms, 30s, 5m, 1h or 7d, from 100ms to 1h',
  'duration-too-long.yaml':
    'cannot use "2h" for query.timeout (FILE:2): expected a duration in whole milliseconds such as 500ms, 30s, 5m, 1h or 7d, from 100ms to 1h',
  'bool-neither.yaml': 'cannot use "maybe" for durability.sync (FILE:2): expected true or false',
  'enum-unknown.yaml':
    'cannot use "verbose" for log_level (FILE:1): expected one of trace, debug, info, warn, error, fatal, silent',
  'no-value.yaml': 'cannot use host (FILE:1): no single value there: expected text',
  'empty-text.yaml': 'cannot use "" for host (FILE:1): expected text',
  'map-for-a-value.yaml': 'cannot use host (FILE:1): no single value there: expected text',
  'list-of-maps.yaml':
    'cannot use cors.origins (FILE:1): no single value there: expected web origins such as https://shop.example (scheme, host and port without a path) or *, separated by commas, or empty for none',
  'not-an-origin.yaml':
    'cannot use "nonsense" for cors.origins (FILE:1): expected web origins such as https://shop.example (scheme, host and port without a path) or *, separated by commas, or empty for none',
  'host-with-port.yaml':
    'cannot use "clew.example:7070" for allowed_hosts (FILE:1): expected host names such as clew.example (without scheme and port) or *, separated by commas, or empty for none',
  'segment-over-half-of-log.yaml':
    'cannot use "1GiB" for log.segment_bytes (FILE:2): expected at most half of log.max_bytes, 1GiB',
  'two-faults.yaml':
    'cannot use FILE:2: unknown key query.timeot; did you mean query.timeout?\n' +
    'cannot use "70000" for ui.port (FILE:1): expected a port from 0 to 65535, where 0 takes any free port',
}

test('every fixture is either good or makes one listed mistake', () => {
  assert.deepEqual(readdirSync(fixtures).sort(), ['good.yaml', ...Object.keys(mistakes)].sort())
})

for (const [name, message] of Object.entries(mistakes)) {
  test(`the mistake in ${name} is named with its place and what would be right`, () => {
    const configFile = join(fixtures, name)
    assert.throws(
      () => loadConfig({ configFile, env }),
      (error) => {
        assert.ok(error instanceof InputError)
        assert.equal(error.code, 'bad_config')
        assert.equal(error.message, message.replaceAll('FILE', configFile))
        return true
      },
    )
  })
}

test('a file sets values in all their forms, and paths are relative to it', () => {
  const { config, origins, file } = loadConfig({ configFile: join(fixtures, 'good.yaml'), env })
  assert.equal(file, join(fixtures, 'good.yaml'))
  assert.equal(config.data, join(fixtures, 'store'))
  assert.deepEqual([config.otlp.http.port, config.otlp.grpc.port, config.ui.port], [14318, 0, 7070])
  assert.equal(config.query.timeoutMs, 1500)
  assert.deepEqual([config.limits.bodyBytes, config.memory.batchesInFlightBytes], [16 << 20, 16 << 20])
  assert.deepEqual(config.cors.origins, ['https://shop.example', 'https://admin.example'])
  assert.equal(config.durability.sync, false)
  assert.deepEqual([config.retention.spansMs, config.retention.eventsMs], [0, 7 * 86_400_000])
  assert.deepEqual(origins['otlp.http.port'], { source: 'file', place: `${file}:4`, text: '14318' })
})

test('a flag wins over the environment, the environment over the file, and the file over the default', () => {
  const configFile = join(fixtures, 'good.yaml')
  const portWith = (input: Parameters<typeof loadConfig>[0]) => {
    const { config, origins } = loadConfig(input)
    return [config.otlp.http.port, origins['otlp.http.port']?.source, origins['otlp.http.port']?.place]
  }
  const variable = { ...env, CLEW_OTLP_HTTP_PORT: '24318' }
  assert.deepEqual(portWith({ env }), [4318, 'default', ''])
  assert.deepEqual(portWith({ env, configFile }), [14318, 'file', `${configFile}:4`])
  assert.deepEqual(portWith({ env: variable, configFile }), [24318, 'environment', 'CLEW_OTLP_HTTP_PORT'])
  const flags = { 'otlp.http.port': '34318' }
  assert.deepEqual(portWith({ flags, env: variable, configFile }), [34318, 'flag', '--otlp-http-port'])
})

test('the data folder follows XDG_DATA_HOME, ~ and the working directory', () => {
  const dataWith = (input: Parameters<typeof loadConfig>[0]) => loadConfig(input).config.data
  assert.equal(dataWith({ env }), '/home/ada/.local/share/clew')
  assert.equal(dataWith({ env: { ...env, XDG_DATA_HOME: '/srv' } }), '/srv/clew')
  assert.equal(dataWith({ env: { ...env, CLEW_DATA: '~/traces' } }), '/home/ada/traces')
  assert.equal(dataWith({ env, flags: { data: 'traces' }, dir: '/srv/app' }), '/srv/app/traces')
})

test('without --config the file is CLEW_CONFIG, else clew.yaml in the data folder, else in the configuration folder', () => {
  const root = mkdtempSync(join(tmpdir(), 'clew-config-'))
  const write = (folder: string, port: number) => {
    mkdirSync(join(root, folder), { recursive: true })
    writeFileSync(join(root, folder, 'clew.yaml'), `ui.port: ${port}\n`)
    return join(root, folder, 'clew.yaml')
  }
  const home = { HOME: root }
  assert.equal(loadConfig({ env: home }).file, undefined)
  const ofUser = write('.config/clew', 1)
  assert.equal(loadConfig({ env: home }).file, ofUser)
  const ofData = write('.local/share/clew', 2)
  assert.equal(loadConfig({ env: home }).file, ofData)
  const named = write('elsewhere', 3)
  assert.equal(loadConfig({ env: { ...home, CLEW_CONFIG: named } }).config.ui.port, 3)
  assert.equal(loadConfig({ env: { ...home, CLEW_CONFIG: ofUser }, configFile: named }).config.ui.port, 3)
})

test('a named file that is not there is an error', () => {
  assert.throws(() => loadConfig({ env, configFile: '/nowhere/clew.yaml' }), {
    code: 'bad_config',
    message: /^cannot read configuration file \/nowhere\/clew\.yaml: ENOENT/,
  })
})

test('an unknown variable is an error unless it is empty, reserved, or a service link of Kubernetes', () => {
  assert.throws(() => loadConfig({ env: { ...env, CLEW_OTLP_HTP_PORT: '1' } }), {
    code: 'bad_config',
    message: 'cannot use environment variable CLEW_OTLP_HTP_PORT: no such option; did you mean CLEW_OTLP_HTTP_PORT?',
  })
  const links = {
    CLEW_PORT: 'tcp://10.0.0.1:7070',
    CLEW_UI_PORT: 'tcp://10.0.0.1:7070',
    CLEW_SERVICE_HOST: '10.0.0.1',
    CLEW_SERVICE_PORT_HTTP: '7070',
    CLEW_PORT_7070_TCP_ADDR: '10.0.0.1',
  }
  const { origins } = loadConfig({ env: { ...env, ...links, CLEW_HOST: '', CLEW_URL: 'http://x' } })
  assert.ok(Object.values(origins).every((origin) => origin.source === 'default'))
})

test('a wrong flag is wrong usage', () => {
  assert.throws(() => loadConfig({ env, flags: { 'ui.port': '-1' } }), {
    code: 'bad_usage',
    message: 'cannot use "-1" for --ui-port: expected a port from 0 to 65535, where 0 takes any free port',
  })
  assert.throws(() => loadConfig({ env, flags: { 'ui.prot': '1' } }), {
    code: 'bad_usage',
    message: 'cannot use option ui.prot: no such option; did you mean ui.port?',
  })
})

test('no two options share a flag or a variable, and help texts have one form', () => {
  assert.equal(new Set(rows.map((row) => flagOf(row.name))).size, rows.length)
  assert.equal(new Set(rows.map((row) => environmentVariableOf('CLEW_', row.name))).size, rows.length)
  for (const row of rows) assert.match(row.help, /^[a-zA-Z][^\n]*[^.\n]$/, row.name)
})
