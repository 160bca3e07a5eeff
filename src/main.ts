#!/usr/bin/env node
/**
 * The entry. It checks what must hold before anything else is loaded, so it imports nothing of clew statically: an older
 * Node would fail on the first import with a message that helps nobody.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const nodeMajorMin = 24

if (Number(process.versions.node.split('.')[0]) >= nodeMajorMin) await run()
else {
  const node = bundledNode()
  if (node !== undefined) runOn(node)
  else {
    process.stderr.write(
      `cannot run clew on Node ${process.versions.node}: it needs Node ${nodeMajorMin} or newer, and the one that comes with it ` +
        'is not there because npm did not run its install script; run `npm rebuild node`, or install Node from https://nodejs.org\n',
    )
    process.exitCode = 1
  }
}

async function run(): Promise<void> {
  // Read once, when the pool starts. A file on a slow disk holds a thread; the engine has its own (engine-process.ts).
  process.env.UV_THREADPOOL_SIZE ??= '8'
  if (process.argv[2] === 'serve') {
    const { applyMemorySettings } = await import('./operation/memory-settings.ts')
    applyMemorySettings()
  }
  const { runProgram } = await import('./cli/program.ts')
  // Loaded only when needed: the engine takes half a second, and commands such as `clew traces` do not need it.
  process.exitCode = await runProgram(
    process.argv,
    async (config) => (await import('./server.ts')).serve(config),
    async (config) => (await import('./config/config-check.ts')).checkConfig(config),
  )
}

/**
 * The program of the npm package `node`, a dependency. It is next to clew's own code, or next to clew when npm hoisted
 * it.
 */
function bundledNode(): string | undefined {
  for (let folder = new URL('..', import.meta.url); ; folder = new URL('..', folder)) {
    const program = fileURLToPath(new URL('node_modules/node/bin/node', folder))
    if (existsSync(program)) return program
    if (folder.pathname === '/' || new URL('..', folder).href === folder.href) return undefined
  }
}

/** Runs the same command on another Node and exits in the same way. */
function runOn(node: string): void {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Ctrl-C on a terminal reaches both processes by itself; if it were passed on, it would count twice.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('error', (error) => {
    process.stderr.write(`cannot run clew: ${node} does not start: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    // 128 + number of the signal is what a shell reports for a process that the signal ended.
    process.exitCode = code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGKILL' ? 9 : 15)
  })
}
