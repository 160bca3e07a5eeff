/**
 * The one way in from a fresh clone: `node scripts/run.mjs <job> [args…]`, which the npm scripts call.
 *
 * Plain JavaScript, because it must run on whatever Node the machine has (20 and above) with nothing installed. It
 * installs what package-lock.json names, then hands the job to the Node that came with it, which runs TypeScript as is.
 */
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureInstalled, projectNode } from './install.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Tools start with `#!/usr/bin/env node`: they too shall find the Node of the project first. */
const path = [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter)

/** Each job: the program that does it, and whether it shows the web UI, which is then built first when out of date. */
const jobs = {
  demo: { program: 'demo/start.ts', needsUi: true, help: 'clew, a small shop that makes traces, and load on it' },
  serve: { program: 'src/main.ts', fixed: ['serve'], needsUi: true, help: 'clew alone; arguments go to `clew serve`' },
  test: { program: 'scripts/test.ts', needsUi: true, help: 'all tests; arguments choose files by part of their path' },
  check: { program: 'scripts/check.ts', help: 'types, lint, format, style and unit tests, in under a minute' },
  install: { help: 'what package-lock.json names, and nothing else' },
  build: { program: 'scripts/build.ts', help: 'web UI to web/dist, program to dist' },
  screenshots: { program: 'scripts/screenshots.ts', needsUi: true, help: 'pictures of the web UI for the docs' },
}

function usage() {
  const lines = Object.entries(jobs).map(([name, job]) => `  ${name.padEnd(12)} ${job.help}`)
  return `usage: node scripts/run.mjs <job> [args…]\n\n${lines.join('\n')}\n`
}

async function main() {
  const [name, ...args] = process.argv.slice(2)
  const job = name !== undefined && Object.hasOwn(jobs, name) ? jobs[name] : undefined
  if (job === undefined) {
    process.stderr.write(name === undefined ? usage() : `cannot run ${name}: no such job\n\n${usage()}`)
    return 2
  }
  await ensureInstalled(root)
  if (job.program === undefined) return 0
  const node = projectNode(root)
  if (job.needsUi) {
    const built = await run(node, ['scripts/ui.ts'])
    if (built !== 0) return built
  }
  return run(node, [job.program, ...(job.fixed ?? []), ...args])
}

/** Runs a program of the checkout on this terminal, passes signals on, and answers its exit code. */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: { ...process.env, PATH: path }, stdio: 'inherit' })
    const passOn = (signal) => {
      // Ctrl-C on a terminal reaches every process of the group by itself; passed on, it would count as a second one.
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      child.kill(signal)
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, passOn)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      for (const each of signals) process.off(each, passOn)
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGKILL' ? 9 : 15))
    })
  })
}

main().then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  },
)
