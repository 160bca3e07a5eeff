/**
 * A Forward client as careful as fluentd: it numbers its events, sends them in chunks, keeps every chunk until it is
 * acknowledged, and sends what was not, byte for byte the same, on its next connection.
 */
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import zlib from 'node:zlib'
import { decodeMulti, encode } from '@msgpack/msgpack'

const eventsPerChunk = 10
const unacknowledgedMax = 8

export class ForwardSender {
  readonly name: string
  readonly #port: number
  /** Chunks by id, in order of their first sending. */
  readonly #unacknowledged = new Map<string, Buffer>()
  #socket: net.Socket | undefined
  #stopped = false
  #finished: Promise<void> = Promise.resolve()
  events = 0
  acknowledged = 0
  /** Chunks that were sent more than once. */
  resent = 0

  constructor(name: string, port: number) {
    this.name = name
    this.#port = port
  }

  start(): void {
    this.#finished = this.#run()
  }

  /** Makes no new chunks, and resolves when every one is acknowledged. */
  async finish(): Promise<void> {
    this.#stopped = true
    await this.#finished
  }

  /** Stops at once, whatever is acknowledged: for a test that failed. */
  abandon(): void {
    this.#stopped = true
    this.#unacknowledged.clear()
  }

  async #run(): Promise<void> {
    while (!this.#stopped || this.#unacknowledged.size > 0) {
      this.#socket ??= await this.#connect()
      if (this.#socket === undefined) await sleep(20)
      else if (!this.#stopped && this.#unacknowledged.size < unacknowledgedMax && this.events < 9000) this.#send()
      await sleep(2)
    }
    this.#socket?.destroy()
  }

  #send(): void {
    const entries = Array.from({ length: eventsPerChunk }, () =>
      encode([nowSeconds(), { message: `${this.name} ${String(this.events++).padStart(6, '0')}` }]),
    )
    const chunk = `${this.name}-${this.events}`
    const packed = zlib.gzipSync(Buffer.concat(entries))
    const message = Buffer.from(encode([this.name, packed, { chunk, size: eventsPerChunk, compressed: 'gzip' }]))
    this.#unacknowledged.set(chunk, message)
    this.#socket?.write(message)
  }

  async #connect(): Promise<net.Socket | undefined> {
    const socket = net.connect(this.#port, '127.0.0.1')
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    if (!connected) return undefined
    socket.on('error', () => {})
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined
    })
    socket.on('data', (answer: Buffer) => this.#acknowledge(answer))
    for (const message of this.#unacknowledged.values()) {
      this.resent++
      socket.write(message)
    }
    return socket
  }

  /** An acknowledgement is a dozen bytes and comes whole. */
  #acknowledge(answer: Uint8Array): void {
    for (const { ack } of decodeMulti(answer) as Generator<{ ack: string }>) {
      if (this.#unacknowledged.delete(ack)) this.acknowledged += eventsPerChunk
    }
  }
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
