/** Prints docs/configuration.md from the declaration of the options. */
import { environmentVariableOf, expectation, flagOf } from '../base/option.ts'
import { environmentPrefix, optionSections } from '../config/config.ts'

/** The whole page as Markdown. */
export function printConfigurationDocs(): string {
  return [head, ...optionSections.map(printSection)].join('\n')
}

const head = `# Configuration

This page is printed from src/config/config.ts by \`clew config --docs\`; edit that.

Every option can be given in three ways. A flag wins over an environment variable, that over the file, that over the
default. \`clew config\` prints what is in force and where each value came from.

- **Flag** of \`clew serve\`: the name with \`-\` for \`.\` and \`_\`: \`--otlp-http-port 14318\`.
- **Environment variable**: \`CLEW_\` and the name in capitals with \`_\` for \`.\`: \`CLEW_OTLP_HTTP_PORT=14318\`. One set to
  nothing counts as not set.
- **File**: YAML, keys nested by dots. It is the one that \`--config\` names, else \`CLEW_CONFIG\`, else the first that exists of
  \`clew.yaml\` in the data folder and \`~/.config/clew/clew.yaml\` (under \`XDG_CONFIG_HOME\` where that is set). Relative
  paths in it start at its folder.

\`\`\`yaml
# clew.yaml
otlp:
  http.port: 14318
retention:
  spans: 3d
cors.origins: [https://shop.example]
\`\`\`

Sizes are written \`64MiB\`, \`1.5GiB\` (powers of 1024) or \`500kB\` (powers of 1000); durations \`500ms\`, \`30s\`, \`5m\`, \`1h30m\`,
\`7d\`; lists as YAML lists, or separated by commas in flags and variables. An unknown key, flag or \`CLEW_\` variable and a
value out of its bounds stop the start with exit code 2 and a message that names the place and what would be right.
`

function printSection(section: (typeof optionSections)[number]): string {
  const rows = section.options.map((option) => {
    const defaultText = option.default === '' ? 'empty' : `\`${option.default}\``
    const names = `\`${option.name}\`<br>\`${flagOf(option.name)}\`<br>\`${environmentVariableOf(environmentPrefix, option.name)}\``
    return `| ${names} | ${option.help} | ${expectation(option)} | ${defaultText} |`
  })
  return `## ${section.title}\n\n| option | what it is | takes | default |\n|---|---|---|---|\n${rows.join('\n')}\n`
}
