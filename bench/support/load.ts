/**
 * A folder of request bodies and the sending of them. The folder holds `batch-*.pb` (OTLP protobuf) and `manifest.json`
 * with the totals and a sample of traces to ask for: `{spans, traces, files, startMs, endMs, sample: [{id, spans,
 * rootService, user, startMs}]}`. bench/load/generate.ts makes such folders.
 */
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'

export interface Manifest {
  readonly spans: number
  readonly traces: number
  readonly files: number
  readonly startMs: number
  readonly endMs: number
  readonly sample: readonly {
    id: string
    spans: number
    rootService: string
    rootOp: string
    user: string
    startMs: number
  }[]
}

export function readManifest(dir: string): Manifest {
  return JSON.parse(fs.readFileSync(path.join(dir, 'manifest.json'), 'utf8')) as Manifest
}

export function readBodies(dir: string): Buffer[] {
  return fs
    .readdirSync(dir)
    .filter((name) => name.endsWith('.pb'))
    .sort()
    .map((name) => fs.readFileSync(path.join(dir, name)))
}

export interface Sent {
  readonly seconds: number
  readonly retries: number
  /** Milliseconds of each request, ascending. */
  readonly latencies: readonly number[]
}

/** Sends all bodies over some connections; repeats what may be repeated (429, 503), fails on anything else. */
export async function sendAll(bodies: readonly Uint8Array[], url: string, connections = 4): Promise<Sent> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections })
  const latencies: number[] = []
  let retries = 0
  let next = 0
  const begun = performance.now()
  const worker = async (): Promise<void> => {
    while (next < bodies.length) {
      const body = bodies[next++]!
      for (;;) {
        const started = performance.now()
        const status = await post(agent, url, body)
        latencies.push(performance.now() - started)
        if (status === 200) break
        if (status !== 429 && status !== 503) throw new Error(`${url} answered ${status}`)
        retries++
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
  const seconds = (performance.now() - begun) / 1000
  agent.destroy()
  return { seconds, retries, latencies: latencies.sort((a, b) => a - b) }
}

function post(agent: http.Agent, url: string, body: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
    const request = http.request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode!))
    })
    request.on('error', reject).end(body)
  })
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}
