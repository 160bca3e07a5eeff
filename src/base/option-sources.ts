/** Where option values come from, and which source wins: flag, else environment, else file, else default. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { closest, distance } from 'fastest-levenshtein'
import { InputError } from './errors.ts'
import { readOptionFile } from './option-file.ts'
import {
  environmentVariableOf,
  expandPath,
  expectation,
  fieldPathOf,
  flagOf,
  optionTypes,
  parseOption,
} from './option.ts'
import type { OptionRow, OptionSection, OptionValue, ValueContext } from './option.ts'

export interface OptionTable {
  readonly sections: readonly OptionSection[]
  readonly environmentPrefix: string
  /** Variables with the prefix that are not options. */
  readonly reservedVariables: readonly string[]
  /** Name of the configuration file when none is given. */
  readonly fileName: string
}

export interface OptionInput {
  /** Texts given on the command line, by option name. */
  readonly flags?: Readonly<Record<string, string | undefined>>
  /** The path from `--config`. */
  readonly configFile?: string | undefined
  /** Default: the process's. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Start of relative paths in flags and environment; default: the process's. */
  readonly dir?: string
}

export interface Origin {
  readonly source: 'flag' | 'environment' | 'file' | 'default'
  /** `--data`, `CLEW_DATA`, `clew.yaml:3`; empty for a default. */
  readonly place: string
  /** The value as text; `(secret)` for a secret that is set. */
  readonly text: string
}

export interface LoadedOptions<Config> {
  readonly config: Config
  /** By option name, in the order of the declaration. */
  readonly origins: Readonly<Record<string, Origin>>
  /** The configuration file in use. */
  readonly file: string | undefined
}

interface Given extends Omit<Origin, 'text'> {
  readonly name: string
  /** `undefined` when there is no usable value. */
  readonly text: string | undefined
  readonly dir: string
}

interface Fault {
  readonly code: 'bad_usage' | 'bad_config'
  readonly message: string
  readonly at: string
}

/** Throws one `InputError` with every fault, one per line. */
export function loadOptions<Config>(table: OptionTable, input: OptionInput): LoadedOptions<Config> {
  const rows = table.sections.flatMap((section) => section.options)
  const known = new Map(rows.map((row) => [row.name, row]))
  const env = input.env ?? process.env
  const dir = input.dir ?? process.cwd()
  const faults: Fault[] = []

  const given = [...givenByFlags(input.flags ?? {}, dir, known), ...givenByEnvironment(table, env, dir, faults)]
  const dataDirText = given.find((item) => item.name === 'data')?.text
  const file = findFile(table, { ...input, env, dir }, dataDirText)
  if (file !== undefined) given.push(...givenByFile(file, known))

  const config: Record<string, unknown> = {}
  const origins: Record<string, Origin> = {}
  for (const item of given) faults.push(...unknownFault(item, known))
  faults.push(...duplicateFaults(given))
  for (const option of rows) {
    const chosen = given.find((item) => item.name === option.name) ?? defaultOf(option, dir)
    const result = read(option, chosen, env)
    if ('message' in result) faults.push(result)
    else {
      setAt(config, fieldPathOf(option), result.value)
      const { source, place } = chosen
      origins[option.name] = { source, place, text: printValue(option, result.value) }
    }
  }
  if (faults.length > 0) throw faultsError(faults)
  return { config: config as Config, origins, file }
}

function printValue(option: OptionRow, value: OptionValue): string {
  const text = optionTypes[option.type].print(value)
  return option.secret && text !== '' ? '(secret)' : text
}

function defaultOf(option: OptionRow, dir: string): Given {
  return { name: option.name, source: 'default', place: '', text: option.default, dir }
}

function givenByFlags(
  flags: NonNullable<OptionInput['flags']>,
  dir: string,
  known: ReadonlyMap<string, OptionRow>,
): Given[] {
  return Object.entries(flags).flatMap(([name, text]) =>
    text === undefined
      ? []
      : [{ name, source: 'flag' as const, place: known.has(name) ? flagOf(name) : name, text, dir }],
  )
}

/** Kubernetes sets such variables in every container when a service is called `clew…`; they are not ours. */
function isServiceLink(variable: string, text: string): boolean {
  return /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)$/.test(variable) || /^(tcp|udp):\/\//.test(text)
}

function givenByEnvironment(table: OptionTable, env: ValueContext['env'], dir: string, faults: Fault[]): Given[] {
  const rows = table.sections.flatMap((section) => section.options)
  const names = new Map(rows.map((row) => [environmentVariableOf(table.environmentPrefix, row.name), row.name]))
  const given: Given[] = []
  for (const [variable, text = ''] of Object.entries(env)) {
    if (!variable.startsWith(table.environmentPrefix) || table.reservedVariables.includes(variable)) continue
    // Container tools set a variable to the empty text to mean "not set".
    if (text === '' || isServiceLink(variable, text)) continue
    const name = names.get(variable)
    if (name !== undefined) given.push({ name, source: 'environment', place: variable, text, dir })
    else {
      const candidates = [...names.keys(), ...table.reservedVariables]
      faults.push({
        code: 'bad_config',
        message: `cannot use environment variable ${variable}: no such option${didYouMean(variable, candidates)}`,
        at: variable,
      })
    }
  }
  return given
}

function givenByFile(file: string, known: ReadonlyMap<string, OptionRow>): Given[] {
  const isStructured = (key: string): boolean => known.get(key)?.type === 'json'
  return readOptionFile(file, (key) => known.has(key), isStructured).map((entry) => ({
    name: entry.key,
    source: 'file',
    place: entry.place,
    text: entry.text,
    dir: dirname(file),
  }))
}

function findFile(
  table: OptionTable,
  input: OptionInput & { env: ValueContext['env']; dir: string },
  dataDirText: string | undefined,
): string | undefined {
  const named = input.configFile ?? input.env[`${table.environmentPrefix}CONFIG`]
  if (named !== undefined && named !== '') return resolve(input.dir, expandPath(named, input.env))
  const rows = table.sections.flatMap((section) => section.options)
  const dataDir = dataDirText ?? rows.find((row) => row.name === 'data')?.default ?? ''
  const candidates = [
    join(resolve(input.dir, expandPath(dataDir, input.env)), table.fileName),
    join(expandPath('$XDG_CONFIG_HOME/clew', input.env), table.fileName),
  ]
  return candidates.find((candidate) => existsSync(candidate))
}

function unknownFault(item: Given, known: ReadonlyMap<string, OptionRow>): Fault[] {
  if (known.has(item.name)) return []
  // An empty section, such as a heading whose lines are commented out, is not a mistake.
  if (item.text === undefined && [...known.keys()].some((name) => name.startsWith(item.name + '.'))) return []
  if (item.source === 'flag') {
    const message = `cannot use option ${item.name}: no such option${didYouMean(item.name, [...known.keys()])}`
    return [{ code: 'bad_usage', message, at: item.name }]
  }
  const message = `cannot use ${item.place}: unknown key ${item.name}${didYouMean(item.name, [...known.keys()])}`
  return [{ code: 'bad_config', message, at: item.place }]
}

function duplicateFaults(given: readonly Given[]): Fault[] {
  const first = new Map<string, Given>()
  const faults: Fault[] = []
  for (const item of given.filter(({ source }) => source === 'file')) {
    const other = first.get(item.name)
    if (other === undefined) first.set(item.name, item)
    else {
      const message = `cannot use ${item.place}: ${item.name} is already set at ${other.place}; keep one of them`
      faults.push({ code: 'bad_config', message, at: item.place })
    }
  }
  return faults
}

function read(option: OptionRow, given: Given, env: ValueContext['env']): { readonly value: OptionValue } | Fault {
  const result = parseOption(option, given.text ?? '', { dir: given.dir, env })
  if ('value' in result && given.text !== undefined) return result
  const what = given.place === flagOf(option.name) ? given.place : `${option.name} (${given.place || 'default'})`
  const found = given.text === undefined ? `${what}: no single value there` : `"${given.text}" for ${what}`
  return {
    code: given.source === 'flag' ? 'bad_usage' : 'bad_config',
    message: `cannot use ${found}: expected ${expectation(option)}`,
    at: given.place || option.name,
  }
}

function faultsError(faults: readonly Fault[]): InputError {
  const code = faults.every((fault) => fault.code === 'bad_usage') ? 'bad_usage' : 'bad_config'
  const at = faults[0]?.at
  return new InputError(code, faults.map((fault) => fault.message).join('\n'), at === undefined ? {} : { at })
}

/** `; did you mean X?` when some name is similar enough: at most a third of its letters differ. */
function didYouMean(name: string, candidates: readonly string[]): string {
  if (candidates.length === 0) return ''
  const nearest = closest(name, [...candidates])
  return distance(name, nearest) <= Math.max(2, nearest.length / 3) ? `; did you mean ${nearest}?` : ''
}

function setAt(root: Record<string, unknown>, path: readonly string[], value: OptionValue): void {
  let place = root
  for (const key of path.slice(0, -1)) place = (place[key] ??= {}) as Record<string, unknown>
  place[path.at(-1) ?? ''] = value
}
