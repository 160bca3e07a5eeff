/** Sessions of chDB, which is ClickHouse as a library, in this process. */
import fs from 'node:fs'
import { Session, drainPending } from 'chdb'
import { UnavailableError, messageOf } from '../../../base/errors.ts'
import type { RowStream, Sessions, SessionsOptions } from './sessions.ts'

const format = 'JSONCompactEachRow'

export class OwnSessions implements Sessions {
  readonly #sessions: readonly Session[]

  /** Throws `UnavailableError` when the engine cannot open the folder. */
  constructor({ dir, sessionArguments }: SessionsOptions) {
    try {
      fs.mkdirSync(dir, { recursive: true })
      this.#sessions = sessionArguments.map(
        (connectionArgs) => new Session(dir, { connectionArgs: [...connectionArgs] }),
      )
    } catch (error) {
      const message = `cannot open the store in ${dir}: ${messageOf(error)}`
      throw new UnavailableError('store_unavailable', message, { cause: error, canRetry: false })
    }
  }

  async run(session: number, sql: string): Promise<string> {
    return (await this.#sessions[session]!.queryAsync(sql, { format })).text()
  }

  async runForBytes(session: number, sql: string): Promise<Uint8Array> {
    return (await this.#sessions[session]!.queryAsync(sql, { format })).bytes()
  }

  stream(session: number, sql: string): RowStream {
    const stream = this.#sessions[session]!.queryStream(sql, { format })
    const chunks = stream[Symbol.asyncIterator]()
    return {
      async next() {
        const { done, value } = await chunks.next()
        return done === true ? undefined : value.text()
      },
      cancel: () => stream.cancel(),
    }
  }

  process(): undefined {}

  restart(): void {}

  async close(): Promise<void> {
    // An exit with native work in flight can crash the process.
    await drainPending()
    for (const session of this.#sessions) session.close()
    await drainPending()
  }
}
