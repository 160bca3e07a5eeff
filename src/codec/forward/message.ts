/**
 * The shape of one Forward message, read without its entries (Forward Protocol Specification v1, "Event Modes"):
 *   message       = Message | Forward | PackedForward
 *   Message       = [tag, time, record, option?]
 *   Forward       = [tag, [entry*], option?]
 *   PackedForward = [tag, str-or-bin of entry*, option?]     ; compressed when option.compressed is "gzip" or "zstd"
 *   option        = { "size": int, "chunk": text, "compressed": text, "fluent_signal": 0 | 1 | 2, … } | nil
 */
import { kinds, type MsgpackReader } from './msgpack.ts'

export interface ForwardMessage {
  readonly tagStart: number
  readonly tagEnd: number
  readonly mode: 'message' | 'forward' | 'packed'
  /** Where the second element begins. */
  readonly bodyAt: number
  readonly option: ForwardOption
}

export interface ForwardOption {
  /** Id to acknowledge; '' for none. */
  readonly chunk: string
  /** '' for none; any value other than gzip and zstd cannot be read. */
  readonly compressed: string
  /** 0 logs, 1 metrics, 2 traces. */
  readonly signal: number
  /** The number of entries according to the sender; 0 when it gives none. */
  readonly size: number
}

const noOption: ForwardOption = { chunk: '', compressed: '', signal: 0, size: 0 }

/**
 * Reads the frame at the reader's place and leaves the reader after it. Throws `InputError` when the bytes end too
 * soon. When the value is not a message, it is skipped and the reason is returned.
 */
export function readMessage(reader: MsgpackReader): ForwardMessage | string {
  const start = reader.at
  if (reader.header() !== kinds.array) return pass(reader, start, 'a message is not an array')
  const elements = reader.size
  if (elements < 2 || elements > 4) return pass(reader, start, `a message has ${elements} elements, not 2 to 4`)
  const tagKind = reader.header()
  if (tagKind !== kinds.str && tagKind !== kinds.bin) return pass(reader, start, 'the tag of a message is not text')
  const tagStart = reader.at
  const tagEnd = (reader.at += reader.size)
  const bodyAt = reader.at
  const kind = reader.header()
  reader.at = bodyAt
  const mode = kind === kinds.array ? 'forward' : kind === kinds.str || kind === kinds.bin ? 'packed' : 'message'
  const required = mode === 'message' ? 3 : 2
  if (elements < required) return pass(reader, start, 'a message has no record')
  for (let i = 1; i < required; i++) reader.skip()
  const option = elements > required ? readOption(reader) : noOption
  for (let i = required + 1; i < elements; i++) reader.skip()
  return { tagStart, tagEnd, mode, bodyAt, option }
}

function pass(reader: MsgpackReader, start: number, problem: string): string {
  reader.at = start
  reader.skip()
  return problem
}

function readOption(reader: MsgpackReader): ForwardOption {
  const start = reader.at
  if (reader.header() !== kinds.map) {
    reader.at = start
    reader.skip()
    return noOption
  }
  const option = { ...noOption }
  for (let left = reader.size; left > 0; left--) {
    const key = reader.keyText()
    const value = reader.value()
    if (value.type === 'string' || value.type === 'bytes') {
      const text = value.type === 'string' ? value.value : Buffer.from(value.value).toString()
      if (key === 'chunk') option.chunk = text
      else if (key === 'compressed') option.compressed = text === 'text' ? '' : text
    } else if (value.type === 'int') {
      if (key === 'size') option.size = Number(BigInt.asUintN(32, value.value))
      else if (key === 'fluent_signal') option.signal = Number(value.value)
    }
  }
  return option
}
