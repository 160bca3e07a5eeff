/**
 * What the tailer appends to the log: a piece of a file, with everything needed to read it without the file.
 *
 *   body   = header LF bytes
 *   header = JSON { v, file, from, path, host, service, type, format }      ; UTF-8, no line end in it
 *   bytes  = the file's bytes [from, from + length), whole events
 *
 * `file` is a random name that the tailer chooses when it first finds a file or finds it rewritten. `file` and `from`
 * make the bodies of equal bytes differ when they are from different places or files. The same piece cut again after a
 * crash gives the same body, because nothing that changes, such as the time of reading, is in it.
 */
import { InputError, messageOf } from '../../base/errors.ts'
import { fileEncodings, parserNames, type TailFormat } from './tail-format.ts'

export interface TailHeader {
  readonly v: 1
  readonly file: string
  readonly from: number
  /** The file's name when the piece was cut. */
  readonly path: string
  readonly host: string
  /** `service.name` of records without one; '' leaves it unknown. */
  readonly service: string
  /** Event type; '' for a plain log record. */
  readonly type: string
  readonly format: TailFormat
}

const headerBytesMax = 64 * 1024

export function encodeTailHeader(header: TailHeader): Buffer {
  return Buffer.from(JSON.stringify(header) + '\n')
}

export interface TailBody {
  readonly header: TailHeader
  /** Where the file's bytes begin in the body. */
  readonly start: number
}

/** Throws `InputError` when the body was not made by `encodeTailHeader`. */
export function decodeTailBody(body: Buffer): TailBody {
  const end = body.subarray(0, headerBytesMax).indexOf(10)
  if (end < 0)
    throw new InputError('bad_request', `cannot decode tailed bytes: no header in the first ${headerBytesMax} bytes`)
  try {
    const header = JSON.parse(body.toString('utf8', 0, end)) as TailHeader
    if (!isHeader(header)) throw new Error('a field is missing or of the wrong kind')
    return { header, start: end + 1 }
  } catch (error) {
    throw new InputError('bad_request', `cannot decode tailed bytes: header: ${messageOf(error)}`, {
      at: 'byte 0',
      cause: error,
    })
  }
}

function isHeader(header: TailHeader): boolean {
  if (header === null || typeof header !== 'object' || header.v !== 1) return false
  const texts = [header.file, header.path, header.host, header.service, header.type]
  const { format } = header
  if (format === null || typeof format !== 'object') return false
  const { parser, pattern, join, encoding } = format
  return (
    texts.every((text) => typeof text === 'string') &&
    Number.isSafeInteger(header.from) &&
    (parser === 'pattern' ? typeof pattern === 'string' : parserNames.includes(parser)) &&
    (join === 'off' || join === 'auto' || join === 'indent' || typeof join?.start === 'string') &&
    fileEncodings.includes(encoding)
  )
}
