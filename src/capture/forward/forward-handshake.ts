/**
 * Who may send over Forward (Forward Protocol Specification v1, "Handshake"):
 *   server HELO  a nonce, and a salt for passwords when users must log in
 *   client PING  ["PING", host, salt, hex sha512(salt host nonce key), user, hex sha512(auth user password)]
 *   server PONG  proves that it knows the key too, or says what did not match and closes
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { hostname } from 'node:os'
import { InputError } from '../../base/errors.ts'
import type { AttributeValue } from '../../model/attributes.ts'
import { MsgpackReader } from '../../codec/forward/msgpack.ts'
import { encodeHelo, encodePong } from '../../codec/forward/reply.ts'

export interface ForwardSecurity {
  /** '' when no key is required. */
  readonly sharedKey: string
  /** Passwords by user; empty when no user is required. */
  readonly users: ReadonlyMap<string, string>
}

/** `name:password` each. Throws `InputError` `bad_config` for one without a colon. */
export function parseUsers(texts: readonly string[]): Map<string, string> {
  return new Map(
    texts.map((text) => {
      const colon = text.indexOf(':')
      if (colon > 0) return [text.slice(0, colon), text.slice(colon + 1)]
      throw new InputError('bad_config', 'cannot read forward.users: expected name:password', { at: 'forward.users' })
    }),
  )
}

export class Handshake {
  readonly #security: ForwardSecurity
  readonly #nonce = randomBytes(16)
  readonly #auth: Buffer

  constructor(security: ForwardSecurity) {
    this.#security = security
    this.#auth = security.users.size === 0 ? Buffer.alloc(0) : randomBytes(16)
  }

  get helo(): Uint8Array {
    return encodeHelo(this.#nonce, this.#auth)
  }

  /** The answer to the client's first message, and what was wrong with that message, or ''. */
  answer(message: Uint8Array): { pong: Uint8Array; problem: string } {
    const ping = readPing(message)
    if (ping === undefined) return refuse('the first message is not a PING')
    const { sharedKey, users } = this.#security
    const expected = sha512(ping.salt, ping.host, this.#nonce, sharedKey)
    if (!equal(ping.digest, expected)) return refuse('shared_key mismatch')
    if (users.size > 0) {
      const password = users.get(ping.user)
      const wanted = sha512(this.#auth, ping.user, password ?? randomBytes(16))
      if (password === undefined || !equal(ping.password, wanted)) return refuse('username/password mismatch')
    }
    const digest = sha512(ping.salt, serverName, this.#nonce, sharedKey)
    return { pong: encodePong(true, '', serverName, digest), problem: '' }
  }
}

/** Not the bare host name: a fluentd on this machine refuses a server that has its own name. */
const serverName = `clew.${hostname()}`

interface Ping {
  readonly host: Buffer
  readonly salt: Buffer
  readonly digest: string
  readonly user: string
  readonly password: string
}

function refuse(problem: string): { pong: Uint8Array; problem: string } {
  return { pong: encodePong(false, problem, '', ''), problem }
}

function readPing(message: Uint8Array): Ping | undefined {
  let value: AttributeValue
  try {
    value = new MsgpackReader(message).value()
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  }
  if (value.type !== 'array' || value.value.length < 4) return undefined
  const [kind, host, salt, digest, user, password] = value.value.map(bytesOf)
  if (kind?.toString() !== 'PING' || host === undefined || salt === undefined || digest === undefined) return undefined
  return { host, salt, digest: digest.toString(), user: user?.toString() ?? '', password: password?.toString() ?? '' }
}

function bytesOf(value: AttributeValue): Buffer | undefined {
  if (value.type === 'string') return Buffer.from(value.value)
  return value.type === 'bytes' ? Buffer.from(value.value) : undefined
}

function sha512(...parts: (Uint8Array | string)[]): string {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

function equal(given: string, expected: string): boolean {
  const bytes = Buffer.from(given)
  return bytes.length === expected.length && timingSafeEqual(bytes, Buffer.from(expected))
}
