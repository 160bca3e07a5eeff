/**
 * An event of a container's log file: lines whose pieces belong together, of one stream or of both mixed. The pieces of
 * a line are joined, and so are a stream's lines that continue each other: they become one record, with the time of its
 * first line.
 */
import { nanosOfText } from '../record/record-time.ts'
import { parseContainerLine, type ContainerLine, type Stream } from './container-line.ts'
import { classifiedCharsMax, type LineJoiner } from './line-joiner.ts'

export interface ContainerRecord {
  readonly stream: Stream
  /** Nanoseconds since the epoch; 0 when the line's time cannot be read. */
  readonly time: bigint
  readonly text: string
  /** The line itself was JSON. */
  readonly isJson: boolean
  readonly attrs: Readonly<Record<string, string>>
}

/** One joiner per stream, as the lines of both are mixed; `undefined` when no line continues another. */
export type StreamJoiners = Readonly<Record<Stream, LineJoiner | undefined>>

interface Open {
  readonly first: ContainerLine
  readonly pieces: string[]
  /** Its last line is incomplete. */
  isPart: boolean
}

/** `undefined` when the text contains a line that no container runtime wrote. */
export function readContainerEvent(text: string, joiners: StreamJoiners): ContainerRecord[] | undefined {
  const records: Open[] = []
  const last: { -readonly [stream in Stream]?: Open } = {}
  for (const line of text.split('\n')) {
    const bare = line.endsWith('\r') ? line.slice(0, -1) : line
    if (bare === '') continue
    const parsed = parseContainerLine(bare)
    if (parsed === undefined) return undefined
    const { stream, content, isPart } = parsed
    const joiner = joiners[stream]
    const before = last[stream]
    const begin = content.slice(0, classifiedCharsMax)
    if (before?.isPart === true) before.pieces.push(content)
    else if (before !== undefined && joiner?.continues(begin) === true) before.pieces.push('\n', content)
    else {
      joiner?.begin(begin)
      records.push((last[stream] = { first: parsed, pieces: [content], isPart }))
    }
    last[stream]!.isPart = isPart
  }
  return records.map(recordOf)
}

function recordOf({ first, pieces }: Open): ContainerRecord {
  const { stream, time, isJson, attrs } = first
  return {
    stream,
    time: nanosOfText(time) ?? 0n,
    text: pieces.join('').replace(/(?<![\r\n])[\r\n]+$/, ''),
    isJson,
    attrs,
  }
}
