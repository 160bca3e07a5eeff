/** Flags of `serve`, `config` and `doctor`: one for each declared option, grouped by section in `--help`. */
import { Option } from 'commander'
import type { Command } from 'commander'
import { InputError } from '../base/errors.ts'
import { flagOf, optionTypes } from '../base/option.ts'
import type { OptionRow } from '../base/option.ts'
import type { LoadedOptions } from '../base/option-sources.ts'
import { loadConfig, optionSections } from '../config/config.ts'
import type { Config } from '../config/config.ts'

export function addConfigFlags(command: Command): Command {
  command.option(
    '--config <file>',
    'configuration file (YAML); default: CLEW_CONFIG, else clew.yaml in the data folder or in ~/.config/clew',
  )
  for (const { title, options } of optionSections) {
    for (const option of options) command.addOption(flagFor(option).helpGroup(`${title}:`))
  }
  return command
}

function flagFor(option: OptionRow): Option {
  const { placeholder } = optionTypes[option.type]
  // A bare `--durability-sync` means true.
  const value = option.type === 'bool' ? `[${placeholder}]` : `<${placeholder}>`
  const defaultText = option.default === '' ? 'empty' : option.default
  const choices = option.values === undefined ? '' : `: ${option.values.join(', ')}`
  const flag = new Option(`${flagOf(option.name)} ${value}`, `${option.help}${choices} (default: ${defaultText})`)
  if (option.type === 'list')
    flag.argParser((text: string, before?: string) => (before === undefined ? text : `${before},${text}`))
  return flag
}

/** Loads the configuration from the flags of a command, the environment and the file. */
export function loadConfigOf(command: Command): LoadedOptions<Config> {
  const flags: Record<string, string | undefined> = {}
  for (const { options } of optionSections) {
    for (const { name } of options) {
      const value = command.getOptionValue(attributeOf(name)) as string | true | undefined
      flags[name] = value === true ? 'true' : value
    }
  }
  return loadConfig({ flags, configFile: command.getOptionValue('config') as string | undefined })
}

/**
 * An error about an option's value that only the part that uses the option could detect, with the place where the
 * option is set. `at` begins with the option's name: for `tail[0].paths` it is the place where `tail` is set.
 */
export function withPlace(error: unknown, origins: LoadedOptions<Config>['origins']): unknown {
  if (!(error instanceof InputError) || error.code !== 'bad_config' || error.at === undefined) return error
  const { at } = error
  const name = Object.keys(origins).find(
    (option) => at === option || at.startsWith(`${option}[`) || at.startsWith(`${option}.`),
  )
  const place = name === undefined ? '' : origins[name]!.place
  if (place === '') return error
  return new InputError('bad_config', `${error.message} (${place})`, { at: place, cause: error })
}

/** The name under which commander stores the value of `--otlp-http-port`: `otlpHttpPort`. */
function attributeOf(name: string): string {
  return new Option(flagOf(name)).attributeName()
}
