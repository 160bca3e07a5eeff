/**
 * `npm run demo`: clew on an embedded store, the shop beside it, load on the shop. Everything is stopped in reverse order
 * on Ctrl-C, SIGTERM, after `--duration`, or when clew dies.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from './child.ts'
import { Load } from './load.ts'
import { type DemoOptions, parseOptions } from './options.ts'
import { freePorts, isFree } from './ports.ts'
import { setUpJavaScript, setUpPython } from './setup.ts'
import { servicesWith, Shop } from './shop.ts'
import { printCounts, printWelcome } from './summary.ts'

const clewReadyTimeoutMs = 60_000
/** Clew promises to stop within five seconds. */
const clewStopTimeoutMs = 8_000
const progressEveryMs = 30_000

const say = (line: string): void => void process.stderr.write(`demo: ${line}\n`)

/** What runs, in the order it was started; `stop` ends it in reverse. */
type Running = { readonly stop: () => Promise<void> | void }[]

async function demo(options: DemoOptions, running: Running, stopping: AbortController): Promise<void> {
  const { signal } = stopping
  const folder = mkdtempSync(join(tmpdir(), 'clew-demo-'))
  running.push({ stop: () => rmSync(folder, { recursive: true, force: true }) })
  await setUpJavaScript(say, signal)
  const python = options.python ? await setUpPython(say, signal) : null
  if (!options.servicesOnly) {
    const clew = clewOf(options, options.data ?? join(folder, 'store'), (reason) => stopping.abort(new Error(reason)))
    running.push(clew)
    await checkPorts(options)
    signal.throwIfAborted()
    say('starting clew')
    await clew.start()
  }
  const chosen = servicesWith(python)
  const ports = await freePorts(chosen.length)
  signal.throwIfAborted()
  const shop = new Shop({ ...options, python, dataDir: folder, say }, chosen, ports)
  running.push(shop)
  say(`starting ${chosen.length} services`)
  await shop.start()
  signal.throwIfAborted()
  const load = new Load({ gatewayUrl: shop.gatewayUrl, rate: options.rate, seed: options.seed, signal })
  const walking = load.run()
  running.push({ stop: () => walking })
  process.stdout.write(printWelcome(options.servicesOnly ? null : urlOf(options), chosen))
  await watch(load, options.durationMs, signal)
}

/** Before clew finds out itself: another clew on these ports would answer, and get the shop's traces. */
async function checkPorts({ uiPort, otlpHttpPort, otlpGrpcPort }: DemoOptions): Promise<void> {
  const ports = { '--ui-port': uiPort, '--otlp-http-port': otlpHttpPort, '--otlp-grpc-port': otlpGrpcPort }
  for (const [flag, port] of Object.entries(ports)) {
    if (await isFree(port)) continue
    throw new Error(
      `cannot start clew: port ${port} is in use; stop what listens there, or choose another with ${flag}`,
    )
  }
}

const urlOf = ({ uiPort }: DemoOptions): string => `http://127.0.0.1:${uiPort}`

function clewOf(options: DemoOptions, dataDir: string, onDied: (reason: string) => void): Child {
  const flags = {
    '--data': dataDir,
    '--ui-port': options.uiPort,
    '--otlp-http-port': options.otlpHttpPort,
    '--otlp-grpc-port': options.otlpGrpcPort,
  }
  const root = join(import.meta.dirname, '..')
  return new Child({
    name: 'clew',
    command: [
      process.execPath,
      '--import',
      join(import.meta.dirname, 'leash.js'),
      join(root, 'src/main.ts'),
      'serve',
      ...Object.entries(flags).flatMap(([flag, value]) => [flag, String(value)]),
    ],
    env: {},
    readyUrl: `${urlOf(options)}/ready`,
    readyTimeoutMs: clewReadyTimeoutMs,
    stopTimeoutMs: clewStopTimeoutMs,
    onDied: (child, reason) => onDied(`clew ${reason}\n${child.output.trimEnd()}`),
  })
}

/** Says now and then how the load goes, until the time is over or the demo is asked to stop. */
async function watch(load: Load, durationMs: number | null, signal: AbortSignal): Promise<void> {
  const endAt = durationMs === null ? Infinity : Date.now() + durationMs
  while (Date.now() < endAt) {
    await sleep(Math.min(progressEveryMs, endAt - Date.now()), undefined, { signal })
    say(printCounts(load.counts))
  }
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  const running: Running = []
  const stopping = new AbortController()
  let isAsked = false
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      isAsked = true
      stopping.abort()
    })
  }
  try {
    await Promise.race([demo(options, running, stopping), rejectedBy(stopping.signal)])
  } catch (error) {
    if (!isAsked) say(error instanceof Error ? error.message : String(error))
    process.exitCode = isAsked ? 0 : 1
  }
  stopping.abort()
  say('stopping')
  for (const each of running.toReversed()) await each.stop()
  return Number(process.exitCode ?? 0)
}

/** Ends a step that is under way, such as a process that starts, when the demo is asked to stop. */
function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

process.exitCode = await main()
