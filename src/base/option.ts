/**
 * An option is declared once, as a row of plain text; flag, environment variable, key of the configuration file, `--help`
 * and docs/configuration.md follow from that row, and so does the type of the loaded configuration.
 *
 *     { name: 'otlp.http.port', type: 'port', default: '4318', help: 'port for …' }
 *
 * gives `--otlp-http-port`, `CLEW_OTLP_HTTP_PORT`, the key `otlp.http.port` and `config.otlp.http.port: number`. In the
 * configuration, words are joined in camel case and the unit is last: a duration `query.timeout` is
 * `config.query.timeoutMs`, a size `store.memory` is `config.store.memoryBytes`.
 */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseDuration, printDurationExact } from './duration.ts'
import { parseSize, printSizeExact } from './size.ts'

export type OptionType = 'string' | 'int' | 'bool' | 'bytes' | 'duration' | 'enum' | 'list' | 'port' | 'path' | 'json'

export interface OptionRow {
  /** Lower-case words joined by `_`, sections by `.`. */
  readonly name: string
  readonly type: OptionType
  /** As a person would write it; parsed like any other value. */
  readonly default: string
  /** What an int counts, such as `rows`. Sizes and durations carry their own unit. */
  readonly unit?: string
  /** Inclusive bounds of int, bytes and duration, written like the value. */
  readonly min?: string
  readonly max?: string
  /** What `0` or the empty value means, such as `no limit`. */
  readonly zero?: string
  /** Never printed: a password or key. Of type string or list. */
  readonly secret?: true
  /** The form of each text in a list. */
  readonly items?: ListItems
  /** The choices of an enum. */
  readonly values?: readonly string[]
  /** One sentence without a full stop. */
  readonly help: string
}

export interface ListItems {
  readonly pattern: RegExp
  /** Completes "expected …", in the plural. */
  readonly expected: string
}

export interface OptionSection {
  readonly title: string
  readonly options: readonly OptionRow[]
}

export type OptionValue = string | number | boolean | readonly string[]

/** What a written value is resolved against. */
export interface ValueContext {
  /** Relative paths start here. */
  readonly dir: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** How one type of option is read and explained. Adding a type is adding a row. */
interface TypeRow {
  /** `undefined` when the text is not a value of this type; bounds are checked elsewhere. */
  parse(text: string, option: OptionRow, context: ValueContext): OptionValue | undefined
  /** The text for people; `parse` reads it back. */
  print(value: OptionValue): string
  /** Completes "expected …". */
  expected(option: OptionRow): string
  /** Stands for the value in `--flag <value>`. */
  readonly placeholder: string
}

const plain = (value: OptionValue): string => String(value)
const nanosPerMs = 1_000_000n

export const optionTypes: Readonly<Record<OptionType, TypeRow>> = {
  string: {
    parse: (text, option) => (text === '' && option.zero === undefined ? undefined : text),
    print: plain,
    expected: () => 'text',
    placeholder: 'text',
  },
  int: {
    parse: (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : undefined),
    print: plain,
    expected: (option) => `a whole number${option.unit === undefined ? '' : ` of ${option.unit}`}`,
    placeholder: 'number',
  },
  bool: {
    parse: (text) => ({ true: true, false: false })[text.toLowerCase()],
    print: plain,
    expected: () => 'true or false',
    placeholder: 'bool',
  },
  bytes: {
    parse: (text) => parseSize(text),
    print: (value) => printSizeExact(Number(value)),
    expected: () => 'a size such as 64MiB or 500kB',
    placeholder: 'size',
  },
  duration: {
    parse(text) {
      const nanos = parseDuration(text)
      return nanos === undefined || nanos % nanosPerMs !== 0n ? undefined : Number(nanos / nanosPerMs)
    },
    print: (value) => printDurationExact(BigInt(Number(value)) * nanosPerMs),
    expected: () => 'a duration in whole milliseconds such as 500ms, 30s, 5m, 1h or 7d',
    placeholder: 'duration',
  },
  enum: {
    parse: (text, option) => option.values?.find((value) => value === text),
    print: plain,
    expected: (option) => `one of ${option.values?.join(', ')}`,
    placeholder: 'choice',
  },
  list: {
    parse(text, option) {
      const items = text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
      return items.every((item) => option.items?.pattern.test(item) !== false) ? items : undefined
    },
    print: (value) => (Array.isArray(value) ? value.join(',') : plain(value)),
    expected: ({ items }) =>
      items === undefined ? 'texts separated by commas' : `${items.expected}, separated by commas`,
    placeholder: 'list',
  },
  port: {
    parse: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
    print: plain,
    expected: () => 'a port from 0 to 65535, where 0 takes any free port',
    placeholder: 'port',
  },
  // Structured values stay text here: only the code that uses one knows its shape, and checks it at start-up.
  json: {
    parse: (text) => printedJson(text),
    print: plain,
    expected: () => 'JSON; in the configuration file, the same as YAML',
    placeholder: 'json',
  },
  path: {
    parse(text, option, context) {
      if (text === '') return option.zero === undefined ? undefined : ''
      return resolve(context.dir, expandPath(text, context.env))
    },
    print: plain,
    expected: () => 'a path',
    placeholder: 'path',
  },
}

/** The same JSON without spaces; `undefined` when the text is not JSON. */
function printedJson(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return undefined
  }
}

/**
 * `~/x` is under the home directory; `$XDG_DATA_HOME` and `$XDG_CONFIG_HOME` fall back to the defaults of their
 * specification.
 */
export function expandPath(text: string, env: ValueContext['env']): string {
  const home = env.HOME || homedir()
  if (text === '~' || text.startsWith('~/')) return join(home, text.slice(1))
  return text
    .replace(/^\$XDG_DATA_HOME(?=\/|$)/, () => env.XDG_DATA_HOME || join(home, '.local/share'))
    .replace(/^\$XDG_CONFIG_HOME(?=\/|$)/, () => env.XDG_CONFIG_HOME || join(home, '.config'))
}

/** The value of the text, or a description of what would have been right. */
export function parseOption(
  option: OptionRow,
  text: string,
  context: ValueContext,
): { readonly value: OptionValue } | { readonly expected: string } {
  const type = optionTypes[option.type]
  const value = type.parse(text, option, context)
  const { min, max } = option
  const low = min === undefined ? undefined : type.parse(min, option, context)
  const high = max === undefined ? undefined : type.parse(max, option, context)
  const inBounds = value !== undefined && (low === undefined || value >= low) && (high === undefined || value <= high)
  if (value !== undefined && (inBounds || (value === 0 && option.zero !== undefined))) return { value }
  return { expected: expectation(option) }
}

/** What the option takes, with its bounds and the meaning of zero: "a whole number of rows from 1000 to 1000000". */
export function expectation(option: OptionRow): string {
  const { min, max } = option
  let text = optionTypes[option.type].expected(option)
  if (min !== undefined && max !== undefined) text += `, from ${min} to ${max}`
  else if (min !== undefined) text += `, at least ${min}`
  else if (max !== undefined) text += `, at most ${max}`
  return option.zero === undefined
    ? text
    : `${text}, or ${emptyTypes.has(option.type) ? 'empty' : '0'} for ${option.zero}`
}

/** Types whose zero is the empty text. */
const emptyTypes: ReadonlySet<OptionType> = new Set(['list', 'string', 'path'])

export function flagOf(name: string): string {
  return '--' + name.replaceAll(/[._]/g, '-')
}

export function environmentVariableOf(prefix: string, name: string): string {
  return prefix + name.replaceAll('.', '_').toUpperCase()
}

/** Path of the value in the configuration object: `store.memory` of type bytes is `['store', 'memoryBytes']`. */
export function fieldPathOf(option: OptionRow): string[] {
  const path = option.name
    .split('.')
    .map((word) => word.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()))
  const last = path.pop() ?? ''
  if (option.type === 'duration') return [...path, last + 'Ms']
  if (option.type === 'bytes' && !/bytes$/i.test(last)) return [...path, last + 'Bytes']
  return [...path, last]
}

// The same rules as `fieldPathOf`, for the compiler.
type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S
type WithBytes<S extends string> = Lowercase<S> extends `${string}bytes` ? S : `${S}Bytes`
type Field<S extends string, T extends OptionType> = T extends 'duration'
  ? `${Camel<S>}Ms`
  : T extends 'bytes'
    ? WithBytes<Camel<S>>
    : Camel<S>
type ValueOf<O extends OptionRow> = O extends { type: 'enum'; values: readonly (infer V)[] }
  ? V
  : O['type'] extends 'int' | 'bytes' | 'duration' | 'port'
    ? number
    : O['type'] extends 'bool'
      ? boolean
      : O['type'] extends 'list'
        ? readonly string[]
        : string
type Nested<S extends string, O extends OptionRow> = S extends `${infer Head}.${infer Tail}`
  ? { readonly [K in Camel<Head>]: Nested<Tail, O> }
  : { readonly [K in Field<S, O['type']>]: ValueOf<O> }
type Intersection<U> = (U extends unknown ? (value: U) => void : never) extends (value: infer I) => void ? I : never
type Merged<T> = T extends object ? (T extends readonly unknown[] ? T : { readonly [K in keyof T]: Merged<T[K]> }) : T
type EachNested<O extends OptionRow> = O extends OptionRow ? Nested<O['name'], O> : never

/** The configuration that a table of sections declares. */
export type ConfigOf<Sections extends readonly OptionSection[]> = Merged<
  Intersection<EachNested<Sections[number]['options'][number]>>
>
