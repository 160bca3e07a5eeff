/** The intrinsics of TraceQL: their names, their counterparts in the model, and their types. */
import { closest, distance } from 'fastest-levenshtein'
import type { SpanIntrinsic, StructureIntrinsic } from '../../model/query.ts'

export type FieldType = 'text' | 'number' | 'bool' | 'status' | 'kind' | 'nil'

/** `parent` can only be compared with nil. */
export type IntrinsicName = Exclude<SpanIntrinsic, 'service' | 'startTime'> | StructureIntrinsic | 'parent'

interface IntrinsicRow {
  /** The first is the one that is printed. */
  readonly spellings: readonly string[]
  readonly type: FieldType
}

/** A spelling without a scope is the older one. Series and columns have it as their label. */
export const intrinsics: Readonly<Record<IntrinsicName, IntrinsicRow>> = {
  duration: { spellings: ['duration', 'span:duration'], type: 'number' },
  name: { spellings: ['name', 'span:name'], type: 'text' },
  status: { spellings: ['status', 'span:status'], type: 'status' },
  statusMessage: { spellings: ['statusMessage', 'span:statusMessage'], type: 'text' },
  kind: { spellings: ['kind', 'span:kind'], type: 'kind' },
  rootName: { spellings: ['rootName', 'trace:rootName'], type: 'text' },
  rootService: { spellings: ['rootServiceName', 'trace:rootService'], type: 'text' },
  traceDuration: { spellings: ['traceDuration', 'trace:duration'], type: 'number' },
  nestedSetLeft: { spellings: ['nestedSetLeft'], type: 'number' },
  nestedSetRight: { spellings: ['nestedSetRight'], type: 'number' },
  nestedSetParent: { spellings: ['nestedSetParent'], type: 'number' },
  parent: { spellings: ['parent'], type: 'nil' },
  traceId: { spellings: ['trace:id'], type: 'text' },
  spanId: { spellings: ['span:id'], type: 'text' },
  parentId: { spellings: ['span:parentID'], type: 'text' },
  childCount: { spellings: ['span:childCount'], type: 'number' },
  eventName: { spellings: ['event:name'], type: 'text' },
  eventTimeSinceStart: { spellings: ['event:timeSinceStart'], type: 'number' },
  linkTraceId: { spellings: ['link:traceID'], type: 'text' },
  linkSpanId: { spellings: ['link:spanID'], type: 'text' },
  instrumentationName: { spellings: ['instrumentation:name'], type: 'text' },
  instrumentationVersion: { spellings: ['instrumentation:version'], type: 'text' },
}

const bySpelling: ReadonlyMap<string, IntrinsicName> = new Map(
  Object.entries(intrinsics).flatMap(([name, { spellings }]) =>
    spellings.map((spelling) => [spelling, name as IntrinsicName] as const),
  ),
)

export const intrinsicSpellings: readonly string[] = [...bySpelling.keys()]

export function intrinsicOf(spelling: string): IntrinsicName | undefined {
  return bySpelling.get(spelling)
}

export function spellingOfIntrinsic(name: IntrinsicName): string {
  return intrinsics[name].spellings[0]!
}

/** Longer names get no suggestions, because the time grows with the square of the length. */
const nameCharsMax = 64

/** `; did you mean X?`, or '' when no candidate is near. */
export function suggestion(name: string, candidates: readonly string[]): string {
  if (name.length > nameCharsMax) return ''
  const lower = name.toLowerCase()
  const nearest = closest(lower, [...candidates])
  const changesMax = nearest.length < 4 ? 1 : Math.max(2, nearest.length / 3)
  return distance(lower, nearest.toLowerCase()) <= changesMax ? `; did you mean \`${nearest}\`?` : ''
}
