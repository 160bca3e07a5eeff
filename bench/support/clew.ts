/** A running clew under measurement: its own process, data folder and ports, and what the system says it used. */
import { spawn, type ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface MeasuredClew {
  readonly url: string
  readonly dataDir: string
  readonly ports: Record<string, number>
  readonly pid: number
  /** CPU seconds (user and system) of the server's process and the engine's since their start. */
  cpuSeconds(): number
  /** Bytes of the server's process and the engine's together, now and at the highest; what both share counts once. */
  memory(): { rss: number; peak: number }
  /** Milliseconds that the server's event loop was held at the longest since the last time this was asked. */
  longestHoldMs(): Promise<number>
  stop(): Promise<void>
}

const root = path.join(import.meta.dirname, '../..')

/** `checkout`: the folder of the clew to start, if it is not this one. */
export async function startClew(flags: readonly string[] = [], checkout = root): Promise<MeasuredClew> {
  const dataDir = benchFolder()
  const holdsFile = path.join(dataDir, 'longest-hold')
  const preload = ['--import', path.join(import.meta.dirname, 'loop-watch.ts')]
  const main = path.join(checkout, 'src/main.ts')
  const serve = [main, 'serve', '--data', dataDir, ...freePorts(checkout), '--log-format', 'json']
  const child = spawn(process.execPath, [...preload, ...serve, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: checkout,
    env: { ...process.env, BENCH_HOLDS_FILE: holdsFile },
  })
  const url = await whenReady(child)
  const ports = await portsOf(url)
  const memory = watchMemory(child.pid!)
  return {
    url,
    ports,
    dataDir,
    pid: child.pid!,
    cpuSeconds: () => processesOf(child.pid!).reduce((sum, pid) => sum + cpuSecondsOf(pid), 0),
    memory: memory.read,
    async longestHoldMs() {
      fs.rmSync(holdsFile, { force: true })
      child.kill('SIGUSR2')
      while (!fs.existsSync(holdsFile)) await sleep(5)
      return Number(fs.readFileSync(holdsFile, 'utf8'))
    },
    async stop() {
      memory.stop()
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await exited
    },
  }
}

/**
 * A new folder, removed when the bench ends and no sooner: for a minute after files were deleted, ext4 passes over their
 * inodes one by one whenever a file is made (`recently_deleted`), which cost the next measurement up to a tenth of its CPU.
 */
export function benchFolder(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'clew-bench-'))
  process.once('exit', () => fs.rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Every port option set to 0, as `serve --help` names them. */
function freePorts(checkout: string): string[] {
  const source = fs.readFileSync(path.join(checkout, 'docs/configuration.md'), 'utf8')
  const flags = new Set([...source.matchAll(/--[a-z-]*port\b/g)].map(([flag]) => flag))
  return [...flags].flatMap((flag) => [flag, '0'])
}

/** Resolves with the address of the UI. */
function whenReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    let isReady = false
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      if (isReady) return
      text += chunk
      const [, url] = /clew is ready: (http[^"\s]+)["\s]/.exec(text) ?? []
      if (url === undefined) return
      isReady = true
      resolve(url)
    })
    child.once('exit', (code) => reject(new Error(`clew ended with ${code} before it was ready: ${text}`)))
  })
}

async function portsOf(url: string): Promise<Record<string, number>> {
  const { listeners } = (await (await fetch(`${url}/api/v1/status`)).json()) as {
    listeners: { name: string; port: number }[]
  }
  return Object.fromEntries(listeners.map(({ name, port }) => [name, port]))
}

/** The server, and the engine's process that it started. */
function processesOf(server: number): number[] {
  const children = fs.readFileSync(`/proc/${server}/task/${server}/children`, 'utf8')
  return [
    server,
    ...children
      .split(' ')
      .filter((pid) => pid !== '')
      .map(Number),
  ]
}

/** Looks at the memory of both processes a few times a second, and keeps the highest. */
function watchMemory(server: number): { read: () => { rss: number; peak: number }; stop: () => void } {
  let peak = 0
  const look = (): number => {
    const rss = processesOf(server).reduce((sum, pid) => sum + pssOf(pid), 0)
    peak = Math.max(peak, rss)
    return rss
  }
  const timer = setInterval(() => {
    try {
      look()
    } catch {
      // A process that has just ended, or begins.
    }
  }, 250)
  timer.unref()
  return { read: () => ({ rss: look(), peak }), stop: () => clearInterval(timer) }
}

/** Fields 14 and 15 of /proc/PID/stat in clock ticks of 10 ms (proc(5)). */
export function cpuSecondsOf(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/**
 * Proportional set size (proc(5), smaps_rollup): memory that both processes map, such as the text of the same program, counts
 * once.
 */
function pssOf(pid: number): number {
  const [, kib] = /^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))!
  return Number(kib) * 1024
}
