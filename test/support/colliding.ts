/** Input that an attacker makes: texts and ids that meet in a table whose hash leaves something out. */

/** `count` different keys of 64 bytes that differ only in bytes 4 to 13, which `quickHash` does not look at. */
export function* collidingKeys(count: number): Generator<string> {
  for (let i = 0; i < count; i++) yield `key.${String(i).padStart(10, '0')}${'x'.repeat(50)}`
}

/** `count` trace ids that differ only in their second word. */
export function* alikeTraceIds(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) {
    const id = Buffer.alloc(16, 7)
    id.writeUInt32LE(i, 4)
    yield id
  }
}

/**
 * 2^(3 `bits` + 1) trace ids that differ in the high bits of the first word and, in the second, in the bits where a
 * multiplication and a shift by 15 bring those: mixed word by word, most of them meet, with whatever secret.
 */
export function* cancellingTraceIds(bits: number): Generator<Buffer> {
  for (let change = 0; change < 2 ** (3 * bits + 1); change++) {
    const id = Buffer.alloc(16)
    id.writeInt32LE(change << (32 - bits), 0)
    const second = change >>> bits
    id.writeInt32LE((second << (32 - bits)) | ((second >>> bits) << (17 - bits)), 4)
    yield id
  }
}
