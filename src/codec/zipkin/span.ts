/**
 * One Zipkin span between decoding and its row: texts are ranges of the batch's arena, fields come in any order. A
 * single object serves all spans of all requests.
 */
import { wider } from '../../base/wider.ts'
import { InputError } from '../../base/errors.ts'
import { attributesMax } from '../../model/attribute-columns.ts'

/** Start and length in the arena; length 0 means absent, because Zipkin treats empty texts as absent. */
export interface TextRange {
  start: number
  length: number
}

export interface ZipkinEndpoint {
  readonly serviceName: TextRange
  readonly ipv4: TextRange
  readonly ipv6: TextRange
  /** 0 when absent. */
  port: number
}

export interface ZipkinAnnotation {
  /** Microseconds since the epoch. */
  readonly timestamp: number
  readonly value: string
}

/** Zipkin kinds as OTLP numbers them (`spanKinds`). */
export const zipkinKinds: Readonly<Record<string, number>> = { SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 }

const tagsMin = 32

export class ZipkinSpan {
  readonly traceId = new Uint8Array(16)
  readonly id = new Uint8Array(8)
  readonly parentId = new Uint8Array(8)
  kind = 0
  readonly name: TextRange = { start: 0, length: 0 }
  /** Microseconds; 0 when absent. */
  timestamp = 0
  duration = 0
  debug = false
  shared = false
  readonly localEndpoint = newEndpoint()
  readonly remoteEndpoint = newEndpoint()
  annotations: ZipkinAnnotation[] = []
  tagCount = 0
  /** Start and length of the key, start and length of the value: four entries a tag. */
  tags = new Uint32Array(tagsMin * 4)

  reset(): void {
    this.traceId.fill(0)
    this.id.fill(0)
    this.parentId.fill(0)
    this.kind = this.timestamp = this.duration = this.name.length = this.tagCount = 0
    this.debug = this.shared = false
    clearEndpoint(this.localEndpoint)
    clearEndpoint(this.remoteEndpoint)
    if (this.annotations.length > 0) this.annotations = []
  }

  addTag(keyStart: number, keyLength: number, valueStart: number, valueLength: number): void {
    const at = this.tagCount++ * 4
    if (at === this.tags.length) {
      if (this.tagCount > attributesMax) {
        throw new InputError('too_large', `cannot take a span of more than ${attributesMax} tags`)
      }
      this.tags = wider(this.tags)
    }
    this.tags[at] = keyStart
    this.tags[at + 1] = keyLength
    this.tags[at + 2] = valueStart
    this.tags[at + 3] = valueLength
  }
}

function newEndpoint(): ZipkinEndpoint {
  return {
    serviceName: { start: 0, length: 0 },
    ipv4: { start: 0, length: 0 },
    ipv6: { start: 0, length: 0 },
    port: 0,
  }
}

export function clearEndpoint(endpoint: ZipkinEndpoint): void {
  endpoint.serviceName.length = endpoint.ipv4.length = endpoint.ipv6.length = endpoint.port = 0
}

export const portMax = 0xffff
