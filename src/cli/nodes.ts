import { Command } from 'commander'
import type { NodesAnswer } from '../api/native/contract.ts'
import { ask } from './api-client.ts'
import { showCount, showTime, zoneName } from './terminal/format.ts'
import { write, writeJson, writeLines } from './terminal/output.ts'
import { addTimeOptions, noneLine, queryOfRange } from './search-options.ts'
import type { TimeRange } from './search-options.ts'
import { parseServerUrl, urlOption } from './server-address.ts'
import { tableLines } from './terminal/table.ts'
import type { Column } from './terminal/table.ts'

type NodeItem = NodesAnswer['nodes'][number]

export function nodesCommand(): Command {
  return addTimeOptions(
    new Command('nodes').description(
      'What emits or is called: service instances, hosts, pods, databases, queues; by default of everything stored.',
    ),
  )
    .option('--json', 'print JSON')
    .addOption(urlOption())
    .addHelpText('after', '\nExamples:\n  clew nodes\n  clew nodes --since 1h --json')
    .action(runNodes)
}

async function runNodes(options: TimeRange & { url: string; json?: true }): Promise<void> {
  const answer = await ask(parseServerUrl(options.url), { path: '/nodes', query: queryOfRange(options) })
  if (options.json) return writeJson(answer)
  if (answer.nodes.length === 0) return write(noneLine('node', options))
  await writeLines(tableLines(columns, answer.nodes))
}

const columns: readonly Column<NodeItem>[] = [
  { title: 'node', text: (node) => node.id, width: 60 },
  { title: 'type', text: (node) => node.type },
  { title: 'state', text: (node) => (node.state === 'failing' ? 'failing !' : node.state) },
  { title: 'service', text: (node) => node.service, width: 40 },
  { title: 'version', text: (node) => node.version, width: 16 },
  { title: 'cluster', text: (node) => node.cluster, width: 24 },
  { title: 'spans', right: true, text: (node) => showCount(node.spans) },
  { title: 'events', right: true, text: (node) => showCount(node.events) },
  { title: 'errors', right: true, text: (node) => showCount(node.errors) },
  { title: `last seen (${zoneName()})`, text: (node) => showTime(node.lastSeen) },
  { title: 'address', text: (node) => node.address, width: 40 },
]
