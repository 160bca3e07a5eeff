/** A running clew under measurement: its own process, data folder and ports, and what the system says it used. */
import { spawn, type ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

export interface MeasuredClew {
  readonly url: string
  readonly dataDir: string
  readonly ports: Record<string, number>
  readonly pid: number
  /** CPU seconds (user and system) of the server's process and the engine's since their start. */
  cpuSeconds(): number
  /** Bytes now and at the highest. */
  memory(): { rss: number; peak: number }
  stop(): Promise<void>
}

const root = path.join(import.meta.dirname, '../..')

export async function startClew(flags: readonly string[] = []): Promise<MeasuredClew> {
  const dataDir = benchFolder()
  const child = spawn(
    process.execPath,
    [path.join(root, 'src/main.ts'), 'serve', '--data', dataDir, ...freePorts(), '--log-format', 'json', ...flags],
    { stdio: ['ignore', 'ignore', 'pipe'], cwd: root },
  )
  const url = await whenReady(child)
  const ports = await portsOf(url)
  return {
    url,
    ports,
    dataDir,
    pid: child.pid!,
    cpuSeconds: () => processesOf(child.pid!).reduce((sum, pid) => sum + cpuSecondsOf(pid), 0),
    memory: () => sumOf(processesOf(child.pid!).map(memoryOf)),
    async stop() {
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
function freePorts(): string[] {
  const source = fs.readFileSync(path.join(root, 'docs/configuration.md'), 'utf8')
  const flags = new Set([...source.matchAll(/--[a-z-]*port\b/g)].map(([flag]) => flag))
  return [...flags].flatMap((flag) => [flag, '0'])
}

function whenReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      for (const line of text.split('\n')) {
        const ready = /clew is ready: (http[^"]+)"/.exec(line)
        if (ready !== null) resolve(ready[1]!)
      }
      text = text.slice(text.lastIndexOf('\n') + 1)
    })
    child.once('exit', (code) => reject(new Error(`clew ended with ${code} before it was ready: ${text}`)))
  })
}

async function portsOf(url: string): Promise<Record<string, number>> {
  const answer = await fetch(`${url}/api/v1/status`)
  const { listeners } = (await answer.json()) as { listeners: { name: string; port: number }[] }
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

/** The peaks need not have been at the same time. */
function sumOf(parts: readonly { rss: number; peak: number }[]): { rss: number; peak: number } {
  return {
    rss: parts.reduce((sum, { rss }) => sum + rss, 0),
    peak: parts.reduce((sum, { peak }) => sum + peak, 0),
  }
}

/** Fields 14 and 15 of /proc/PID/stat in clock ticks of 10 ms (proc(5)). */
export function cpuSecondsOf(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function memoryOf(pid: number): { rss: number; peak: number } {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
  const kib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) * 1024
  return { rss: kib('VmRSS'), peak: kib('VmHWM') }
}
