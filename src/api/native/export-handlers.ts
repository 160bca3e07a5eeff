/** Handler of the export route: blocks of rows from the reader, printed line by line at the client's pace. */
import { Readable } from 'node:stream'
import { printRows } from '../../codec/otlp/print-rows.ts'
import type { RowBlock, RowSelection } from '../../model/row-block.ts'
import type { ExportParameters } from './contract/export.ts'
import type { Handlers } from './handler.ts'
import { spanQueryOf } from './parameters.ts'

/** Bytes buffered for a client that reads slowly, besides the block that is being printed. */
const waitingBytesMax = 1 << 20

export const exportHandlers = {
  async exportRows({ reader }, { query, signal }) {
    const lines = linesOf(reader.readBlocks(selectionOf(query as ExportParameters), { signal }))
    // Faults of the request or the store show up with the first line, while an error can still be answered.
    const first = await lines.next()
    return Readable.from(startingWith(first, lines), { objectMode: false, highWaterMark: waitingBytesMax })
  },
} satisfies Partial<Handlers>

/** Without conditions on spans, the rows of the range; else the matching traces. */
function selectionOf(parameters: ExportParameters): RowSelection {
  const { signal, limit } = parameters
  const { where, ...range } = spanQueryOf(parameters)
  const isFiltered = limit !== undefined || where.kind !== 'and' || where.of.length > 0
  return {
    ...range,
    signals: signal === undefined ? ['spans', 'events'] : signal === 'spans' ? ['spans'] : ['events'],
    ...(isFiltered ? { where, tracesMax: limit } : {}),
  }
}

async function* linesOf(blocks: AsyncIterable<RowBlock>): AsyncGenerator<Buffer> {
  for await (const block of blocks) yield* printRows(block)
}

async function* startingWith(first: IteratorResult<Buffer>, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (first.done !== true) yield first.value
    yield* rest
  } finally {
    // The client may leave before the rest was started.
    await rest.return(undefined)
  }
}
