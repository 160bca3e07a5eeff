/**
 * The key under which a retry is recognised: the body's hash, combined with a hash of everything else that decides what
 * the record means. So the same bytes from two tenants, or read by two decoders, are two records.
 */
import { hash as digest } from 'node:crypto'
import type { RecordHeader } from '../../model/log.ts'
import { retryKeyBytes } from './retry-table.ts'

/** Kinds come from outside (tenants), so the memory of them is bounded. */
const kindsMax = 4096

export class RetryKeys {
  readonly #kinds = new Map<string, Buffer>()

  /** A fresh key of `retryKeyBytes` bytes; `bodyHash` has at least as many. */
  of(header: RecordHeader, bodyHash: Uint8Array): Buffer {
    const kind = this.#kindHash(`${header.signal}\0${header.codec}\0${header.encoding}\0${header.tenant}`)
    const key = Buffer.allocUnsafe(retryKeyBytes)
    for (let i = 0; i < retryKeyBytes; i++) key[i] = (bodyHash[i] ?? 0) ^ (kind[i] ?? 0)
    return key
  }

  #kindHash(kind: string): Buffer {
    let known = this.#kinds.get(kind)
    if (known === undefined) {
      if (this.#kinds.size === kindsMax) this.#kinds.clear()
      known = digest('sha1', kind, 'buffer')
      this.#kinds.set(kind, known)
    }
    return known
  }
}
