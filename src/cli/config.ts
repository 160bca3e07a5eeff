import { Command } from 'commander'
import { fieldPathOf, flagOf } from '../base/option.ts'
import type { OptionRow } from '../base/option.ts'
import type { Origin } from '../base/option-sources.ts'
import { optionSections } from '../config/config.ts'
import type { Config } from '../config/config.ts'
import { printConfigurationDocs } from './config-docs.ts'
import { addConfigFlags, loadConfigOf, withPlace } from './option-flags.ts'
import { write, writeJson, writeLines } from './terminal/output.ts'
import { tableLines } from './terminal/table.ts'

/** Rejects with `InputError` for faults that only the parts that use the configuration can find. */
export type CheckConfig = (config: Config) => Promise<void>

export function configCommand(check: CheckConfig): Command {
  return addConfigFlags(
    new Command('config')
      .description('Print the configuration in force and where each value came from.')
      .option('--json', 'print JSON')
      .option('--docs', 'print the page that describes all options, as Markdown'),
  )
    .addHelpText(
      'after',
      `
It takes the flags of \`clew serve\`, so that a call can be tried out before it is made.

Examples:
  clew config
  clew config --config ./clew.yaml --json
  CLEW_QUERY_TIMEOUT=1m clew config | grep query`,
    )
    .action((options: ConfigOptions, command: Command) => runConfig(options, command, check))
}

/** The configuration with `(secret)` in place of every secret that is set. */
function withoutSecrets(config: Config, origins: Readonly<Record<string, Origin>>): unknown {
  const copy = structuredClone(config) as Record<string, unknown>
  const rows = optionSections.flatMap((section): readonly OptionRow[] => section.options)
  for (const option of rows.filter(({ secret }) => secret)) {
    const path = fieldPathOf(option)
    const parent = path.slice(0, -1).reduce((value, key) => value[key] as Record<string, unknown>, copy)
    parent[path.at(-1) ?? ''] = origins[option.name]?.text
  }
  return copy
}

interface ConfigOptions {
  readonly json?: true
  readonly docs?: true
}

async function runConfig(options: ConfigOptions, command: Command, check: CheckConfig): Promise<void> {
  if (options.docs) return write(printConfigurationDocs())
  const { config, origins, file } = loadConfigOf(command)
  await check(config).catch((error: unknown) => Promise.reject(withPlace(error, origins)))
  if (options.json) return writeJson({ file: file ?? null, config: withoutSecrets(config, origins), origins })
  const rows = Object.entries(origins).map(([name, origin]) => ({ name, ...origin }))
  await writeLines(
    tableLines(
      [
        { title: 'option', text: (row) => row.name },
        { title: 'value', text: (row) => (row.text === '' ? '(empty)' : row.text) },
        { title: 'from', text: (row) => (row.place === '' ? 'default' : row.place) },
      ],
      rows,
    ),
  )
  await write(`configuration file: ${file ?? `none (${flagOf('config')} names one)`}\n`)
}
