import { Command } from 'commander'
import type { ServicesAnswer } from '../api/native/contract.ts'
import { ask } from './api-client.ts'
import { showCount, showDuration, showShare, showTime, zoneName } from './terminal/format.ts'
import { write, writeJson, writeLines } from './terminal/output.ts'
import { addTimeOptions, noneLine, queryOfRange } from './search-options.ts'
import type { TimeRange } from './search-options.ts'
import { parseServerUrl, urlOption } from './server-address.ts'
import { tableLines } from './terminal/table.ts'
import type { Column } from './terminal/table.ts'

type Service = ServicesAnswer['services'][number]

export function servicesCommand(): Command {
  return addTimeOptions(
    new Command('services').description('Services with calls, errors and latency; by default of everything stored.'),
  )
    .option('--json', 'print JSON')
    .addOption(urlOption())
    .addHelpText('after', '\nExamples:\n  clew services\n  clew services --since 1h --json')
    .action(runServices)
}

async function runServices(options: TimeRange & { url: string; json?: true }): Promise<void> {
  const answer = await ask(parseServerUrl(options.url), { path: '/services', query: queryOfRange(options) })
  if (options.json) return writeJson(answer)
  if (answer.services.length === 0) return write(noneLine('service', options))
  await writeLines(tableLines(columns, answer.services))
}

const columns: readonly Column<Service>[] = [
  { title: 'service', text: (service) => service.name, width: 60 },
  { title: 'calls', right: true, text: (service) => showCount(service.calls) },
  { title: 'errors', right: true, text: (service) => showShare(service.errors, service.calls) },
  { title: 'p50', right: true, text: (service) => showDuration(Number(service.p50Nano)) },
  { title: 'p95', right: true, text: (service) => showDuration(Number(service.p95Nano)) },
  { title: 'p99', right: true, text: (service) => showDuration(Number(service.p99Nano)) },
  { title: 'spans', right: true, text: (service) => showCount(service.spans) },
  { title: `last seen (${zoneName()})`, text: (service) => showTime(service.lastSeen) },
]
