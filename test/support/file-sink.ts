/**
 * A sink that is not the store: each block becomes a file named by its token, with the ids of spans and the bodies of
 * events, one a line. A block that is inserted again replaces its file, so rows are there once.
 */
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BlockInsert, Sink, SinkBlock } from '../../src/model/sink.ts'
import { eventRowsOf, spanRowsOf } from './batch-rows.ts'

export class FileSink implements Sink {
  readonly name: string
  readonly #dir: string
  readonly #beforeInsert: (insert: BlockInsert) => Promise<void>

  constructor(
    name: string,
    dir: string,
    beforeInsert: (insert: BlockInsert) => Promise<void> = () => Promise.resolve(),
  ) {
    this.name = name
    this.#dir = dir
    this.#beforeInsert = beforeInsert
    mkdirSync(dir, { recursive: true })
  }

  /** Files written, named by their tokens. */
  get tokens(): string[] {
    return readdirSync(this.#dir).filter((name) => !name.endsWith('.draft'))
  }

  /** Everything stored, sorted. */
  get lines(): string[] {
    return this.tokens.flatMap((token) => readFileSync(join(this.#dir, token), 'utf8').trim().split('\n')).sort()
  }

  newBlock(): SinkBlock {
    const lines: string[] = []
    return {
      get rows() {
        return lines.length
      },
      add(batch) {
        if (batch.signal === 'spans') lines.push(...spanRowsOf(batch).map(({ spanId }) => spanId))
        else lines.push(...eventRowsOf(batch).map(({ body }) => body))
      },
      insert: async (insert) => {
        await this.#beforeInsert(insert)
        const path = join(this.#dir, insert.token)
        writeFileSync(`${path}.draft`, lines.map((line) => `${line}\n`).join(''))
        renameSync(`${path}.draft`, path)
      },
      reset: () => void (lines.length = 0),
    }
  }
}
