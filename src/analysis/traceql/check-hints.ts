/**
 * `with(name=value)`: how an answer is made, not what is in it. Hints that control Tempo's internals are accepted and
 * do nothing.
 */
import type { Report } from './check-field.ts'
import { suggestion } from './intrinsics.ts'
import type { Hint, LiteralValue } from './syntax.ts'

type HintType = 'bool' | 'share' | 'count'

/** Lists several types when a hint accepts any of them. */
const hintTypes: Readonly<Record<string, readonly HintType[]>> = {
  sample: ['bool', 'share'],
  span_sample: ['bool', 'share'],
  trace_sample: ['bool', 'share'],
  exemplars: ['bool', 'count'],
  most_recent: ['bool'],
  extrapolate: ['bool'],
}

const ignored: readonly string[] = [
  'job_size',
  'time_overlap_cutoff',
  'concurrent_blocks',
  'info',
  'skip_ast_transformations',
  'spanonly_fetch',
]

const wanted: Readonly<Record<HintType, string>> = {
  bool: 'true or false',
  share: 'a share from 0 to 1',
  count: 'a whole number',
}

export function checkHints(hints: readonly Hint[], report: Report): void {
  const seen = new Set<string>()
  for (const hint of hints) {
    if (seen.has(hint.name)) report(`the hint \`${hint.name}\` is given twice`, hint)
    seen.add(hint.name)
    if (ignored.includes(hint.name) || hint.name.startsWith('debug')) continue
    const types = Object.hasOwn(hintTypes, hint.name) ? hintTypes[hint.name]! : []
    if (types.length === 0) {
      const near = suggestion(hint.name, Object.keys(hintTypes))
      const right = near === '' ? `; known are ${Object.keys(hintTypes).join(', ')}` : near
      report(`unknown hint \`${hint.name}\`${right}`, hint)
    } else if (!types.some((type) => isOfType(hint.value.value, type))) {
      report(`the hint \`${hint.name}\` takes ${types.map((type) => wanted[type]).join(' or ')}`, hint.value)
    }
  }
}

function isOfType(value: LiteralValue, type: HintType): boolean {
  if (type === 'bool') return value.type === 'bool'
  if (type === 'count') return value.type === 'int' && value.value >= 0n
  return (value.type === 'float' || value.type === 'int') && value.value >= 0 && value.value <= 1
}
