/**
 * Records that the store refuses for good are saved as files, so that one bad block neither stops the others nor is
 * lost. Each is a file `DIR/FROM-END/POSITION.CODEC[.ENCODING]` with the bytes as received. The folder also has a
 * `reason.txt`. Folders of partitions other than 0 are `DIR/PARTITION-FROM-END`.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { syncFolder } from '../base/disk.ts'
import type { Log, Partition, Position } from '../model/log.ts'

export class Quarantine {
  readonly dir: string
  readonly #log: Log

  constructor(dir: string, log: Log) {
    this.dir = dir
    this.#log = log
  }

  /** Durable when it resolves; safe to repeat. */
  async keep(partition: Partition, from: Position, end: Position, reason: string): Promise<void> {
    const folder = path.join(this.dir, partition === 0 ? `${from}-${end}` : `${partition}-${from}-${end}`)
    await mkdir(folder, { recursive: true })
    for await (const record of this.#log.read(from, partition)) {
      if (record.position >= end) break
      const ending = record.encoding === '' ? '' : `.${record.encoding}`
      await writeFile(path.join(folder, `${record.position}.${record.codec}${ending}`), record.body, { flush: true })
    }
    await writeFile(path.join(folder, 'reason.txt'), reason + '\n', { flush: true })
    for (const made of [folder, this.dir, path.dirname(this.dir)]) await syncFolder(made)
  }

  /** Folders kept so far. */
  async count(): Promise<number> {
    return (await readdir(this.dir).catch(() => [])).length
  }
}
