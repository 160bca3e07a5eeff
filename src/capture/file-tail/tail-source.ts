/** Which files to tail, as configured. */
import { closest } from 'fastest-levenshtein'
import { z } from 'zod'
import { InputError } from '../../base/errors.ts'
import { makeJoiner } from '../../codec/tail/line-joiner.ts'
import { lineParserOf } from '../../codec/tail/line-parsers.ts'
import { fileEncodings, joinOf, parserNames, type TailFormat } from '../../codec/tail/tail-format.ts'

export interface TailSource {
  /** Absolute globs. */
  readonly paths: readonly string[]
  readonly exclude: readonly string[]
  readonly format: TailFormat
  /** `service.name` of records without one; '' leaves it unknown. */
  readonly service: string
  /** Event type; '' for plain log records. */
  readonly type: string
  /** Where reading begins in a file that was never seen before. */
  readonly startAt: 'beginning' | 'end'
}

const glob = z.string().startsWith('/', 'expected an absolute path or glob')
const globs = z.union([glob.transform((path) => [path]), z.array(glob).min(1)])

const schema = z.array(
  z.strictObject({
    paths: globs,
    exclude: globs.optional(),
    parser: z.union([z.enum(parserNames), z.strictObject({ pattern: z.string().min(1) })]).default('auto'),
    multi_line: z.union([z.enum(['off', 'auto', 'indent']), z.strictObject({ start: z.string().min(1) })]).optional(),
    service: z.string().default(''),
    type: z.string().default(''),
    encoding: z.enum(fileEncodings).default('utf-8'),
    start_at: z.enum(['beginning', 'end']).default('beginning'),
  }),
)

/** Throws `InputError` `bad_config` that names the entry and what would be right. */
export function parseTailSources(value: unknown): TailSource[] {
  const result = schema.safeParse(value ?? [])
  if (!result.success) {
    const { issues } = result.error
    // A mistyped key also means that the right one is missing.
    const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!
    const at = issue.path.reduce<string>(
      (text, key) => text + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`),
      'tail',
    )
    throw new InputError('bad_config', `cannot use ${at}: ${explain(issue)}`, { at })
  }
  return result.data.map((entry, index) => {
    const parser = typeof entry.parser === 'string' ? entry.parser : 'pattern'
    const pattern = typeof entry.parser === 'string' ? {} : { pattern: entry.parser.pattern }
    const format: TailFormat = {
      parser,
      ...pattern,
      join: entry.multi_line ?? joinOf(parser),
      encoding: entry.encoding,
    }
    checkExpressions(format, `tail[${index}]`)
    return {
      paths: entry.paths,
      exclude: entry.exclude ?? [],
      format,
      service: entry.service,
      type: entry.type,
      startAt: entry.start_at,
    }
  })
}

/** The library's message, except for unknown keys: those get the nearest known key. */
function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys
    const known = Object.keys(schema.element.shape)
    return `unknown key ${key}; did you mean ${closest(key!, known)}? Known keys: ${known.join(', ')}`
  }
  const at = issue.path.at(-1)
  if (at === 'paths' && issue.code === 'invalid_union')
    return 'expected an absolute path or glob such as /var/log/*.log, or a list of them'
  return issue.path.length === 0 ? 'expected a list of maps such as [{ paths: /var/log/app.log }]' : issue.message
}

function checkExpressions(format: TailFormat, at: string): void {
  try {
    lineParserOf(format.parser, format.pattern)
    makeJoiner(format.join)
  } catch (error) {
    throw new InputError(
      'bad_config',
      `cannot use ${at}: ${(error as Error).message}; expected a JavaScript regular expression`,
      { at, cause: error },
    )
  }
  if (format.pattern !== undefined && !/\(\?<[A-Za-z_]/.test(format.pattern)) {
    throw new InputError(
      'bad_config',
      `cannot use ${at}.parser.pattern: it names no groups; expected such as (?<message>.*)`,
      { at },
    )
  }
}
