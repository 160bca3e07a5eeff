/**
 * A consumer's state on disk: `<name>.consumer`, two slots at offsets 0 and 4096, written in turn. Each is in one
 * sector, so a torn write leaves the other slot, which has the older state, whole.
 *
 *   slot     = "CLWC" crc sequence next cutEnd
 *   crc      = u32           ; CRC-32 of the 24 bytes after it
 *   sequence = u64           ; the slot with the higher one counts; its parity says which slot it is in
 *   next     = u64
 *   cutEnd   = u64           ; all ones: no insert under way
 */
import { open, rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncFolder } from '../../base/disk.ts'
import { InputError } from '../../base/errors.ts'
import type { ConsumerState, Position } from '../../model/log.ts'

const slotBytes = 32
const slotOffsets = [0, 4096] as const
const fileBytes = 8192
const magic = Buffer.from('CLWC')
const crcEnd = 8
const noCut = 0xffff_ffff_ffff_ffffn
const suffix = '.consumer'

export interface SlotState extends ConsumerState {
  readonly sequence: number
}

/** The file name of a consumer. Throws `InputError` unless the name is 1-64 of `a-z A-Z 0-9 . _ -`, no dot first. */
export function consumerFileName(name: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/.test(name)) return name + suffix
  throw new InputError('bad_config', `cannot name a consumer '${name}': use 1 to 64 letters, digits, '.', '_' or '-'`)
}

/** The consumer whose file this is; `undefined` when it is another file. */
export function parseConsumerFileName(fileName: string): string | undefined {
  return fileName.endsWith(suffix) ? fileName.slice(0, -suffix.length) : undefined
}

export function encodeSlot(state: SlotState): Buffer {
  const bytes = Buffer.alloc(slotBytes)
  magic.copy(bytes)
  bytes.writeBigUInt64LE(BigInt(state.sequence), 8)
  bytes.writeBigUInt64LE(BigInt(state.next), 16)
  bytes.writeBigUInt64LE(state.cutEnd === undefined ? noCut : BigInt(state.cutEnd), 24)
  bytes.writeUInt32LE(crc32(bytes.subarray(crcEnd)), 4)
  return bytes
}

/** `undefined` when the slot was never written, or only in part. */
export function decodeSlot(bytes: Buffer): SlotState | undefined {
  if (bytes.length < slotBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined
  if (crc32(bytes.subarray(crcEnd, slotBytes)) !== bytes.readUInt32LE(4)) return undefined
  const cutEnd = bytes.readBigUInt64LE(24)
  return {
    sequence: Number(bytes.readBigUInt64LE(8)),
    next: Number(bytes.readBigUInt64LE(16)) as Position,
    cutEnd: cutEnd === noCut ? undefined : (Number(cutEnd) as Position),
  }
}

/** An open consumer file. Writes must not overlap. */
export interface ConsumerFile {
  readonly file: FileHandle
  state: SlotState
}

/** Makes a new consumer's file, whole or not at all. */
export async function createConsumerFile(path: string, next: Position): Promise<ConsumerFile> {
  const state: SlotState = { sequence: 0, next, cutEnd: undefined }
  const content = Buffer.alloc(fileBytes)
  encodeSlot(state).copy(content, slotOffsets[0])
  const file = await open(`${path}.new`, 'w+')
  try {
    await file.writeFile(content)
    await file.sync()
    await rename(`${path}.new`, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await file.close()
    throw error
  }
  return { file, state }
}

/** Opens a consumer's file; `undefined` when neither slot is readable. */
export async function openConsumerFile(path: string): Promise<ConsumerFile | undefined> {
  const file = await open(path, 'r+')
  const content = Buffer.alloc(fileBytes)
  await file.read(content, 0, fileBytes, 0)
  const slots = slotOffsets.map((offset) => decodeSlot(content.subarray(offset, offset + slotBytes)))
  const [newest] = slots.filter((slot) => slot !== undefined).sort((a, b) => b.sequence - a.sequence)
  if (newest !== undefined) return { file, state: newest }
  await file.close()
  return undefined
}

/**
 * Writes and syncs the next state into the slot that does not hold the present one. When this throws, the present state
 * stays valid and the same slot is written again next time.
 */
export async function writeConsumerState(consumer: ConsumerFile, state: ConsumerState): Promise<void> {
  const next: SlotState = { sequence: consumer.state.sequence + 1, next: state.next, cutEnd: state.cutEnd }
  await consumer.file.write(encodeSlot(next), 0, slotBytes, slotOffsets[next.sequence % 2 === 0 ? 0 : 1])
  await consumer.file.datasync()
  consumer.state = next
}
