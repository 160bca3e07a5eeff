/**
 * Figures of services, operations, edges and attribute keys in memory, so that a list needs no query: the rows of each
 * piece of a range (range-pieces.ts) are read once for each version of the piece, and summed up here. Which version counts
 * is known from the writer of this process, or by a look at the store before each question (store-watch.ts).
 *
 * Memory is bounded. What does not fit is computed by the engine for each question, as `figureSql` says.
 */
import type { TimeRange } from '../../../../model/query.ts'
import { bucketSeconds } from '../../../touched-buckets.ts'
import type { Engine } from '../../engine.ts'
import { readEdgeOptions } from '../../rollup/roll-up.ts'
import { bucketInterval, joinIntervals, type Interval } from '../../rollup/intervals.ts'
import { BoundedCache } from './bounded-cache.ts'
import {
  bytesOf,
  readFigureRow,
  rowsSql,
  shapes,
  sumRows,
  type FigureColumns,
  type FigureRow,
  type FigureShape,
} from './figure-row.ts'
import {
  figuresOf,
  newestSql,
  packedBytes,
  packedSql,
  readPacked,
  spansInSql,
  type PackedColumns,
  type PackedGroup,
} from './packed-calls.ts'
import {
  coverageOf,
  listParts,
  partConditions,
  partsBeyond,
  type CountedTable,
  type Coverage,
} from './part-coverage.ts'
import { piecesOf, wholeOf, type BucketStates, type Piece } from './range-pieces.ts'

/** An hour of 40 services, 400 operations and 150 edges takes 10 MB. */
const keptBytesMax = 48 << 20
/** Rows of a piece that is kept: a service that makes up names of operations has as many as spans. */
const pieceRowsMax = 10_000
/** Rows of one answer of the engine. */
const answerRowsMax = 60_000
/** In one statement. After an import of old data more buckets than this may be open, until they are rolled up. */
const liveIntervalsMax = 64

/** Spans of a bucket whose calls are kept one by one: 5 MB. */
const packedSpansMax = 300_000

/** Without rows: there are too many to keep. */
interface Kept {
  readonly version: string
  readonly rows?: readonly FigureRow[] | undefined
  readonly packed?: readonly PackedGroup[] | undefined
  readonly newestNs?: bigint
  /** Of an open bucket: which stored rows the figures are made of. */
  readonly covered?: Coverage
  readonly bytes: number
}

interface QueryOptions {
  readonly signal: AbortSignal | undefined
  /** Conditions on the rows of the tables. */
  readonly only?: Record<CountedTable, string>
}

export class FigureMemory {
  readonly #engine: Pick<Engine, 'query'>
  readonly #states: BucketStates
  readonly #kept: BoundedCache<Kept>
  /** The last load of each figure: those who miss the same pieces wait for each other. */
  readonly #loads = new Map<FigureShape, Promise<void>>()

  constructor(engine: Pick<Engine, 'query'>, states: BucketStates, bytesMax = keptBytesMax) {
    this.#engine = engine
    this.#states = states
    this.#kept = new BoundedCache(bytesMax)
  }

  /** One row for each set of names, right for all rows stored at the time of the call; undefined when there are too many. */
  async read(shape: FigureShape, range: TimeRange, signal?: AbortSignal): Promise<readonly FigureRow[] | undefined> {
    signal?.throwIfAborted()
    const pieces = await this.#pieces(range, signal)
    if (pieces.some((piece) => this.#find(shape, piece) === undefined)) {
      return this.#inTurn(shape, signal, async () => this.#load(shape, await this.#pieces(range, signal), signal))
    }
    return this.#sum(shape, pieces, new Map())
  }

  /** A range that ends after the newest row of an open bucket, as those up to now do, has all of the bucket. */
  async #pieces(range: TimeRange, signal: AbortSignal | undefined): Promise<Piece[]> {
    const pieces = piecesOf(range, this.#states)
    const last = pieces.at(-1)
    if (last?.cut === undefined) return pieces
    const bucket = bucketInterval(last.startSeconds)
    if (last.cut.fromNs !== bucket.fromNs) return pieces
    const newestNs = await this.#newestNs(last, bucket, signal)
    if (newestNs < last.cut.toNs) pieces[pieces.length - 1] = wholeOf(last, this.#states)
    return pieces
  }

  async #newestNs(
    { startSeconds, version }: Piece,
    bucket: Interval,
    signal: AbortSignal | undefined,
  ): Promise<bigint> {
    const key = `newest ${startSeconds}`
    const kept = this.#kept.get(key)
    if (kept?.version === version) return kept.newestNs!
    const [row] = await this.#engine.query<[string]>(newestSql(bucket), { signal })
    const newestNs = BigInt(row![0])
    this.#kept.set(key, { version, newestNs, bytes: 200 })
    return newestNs
  }

  #find(shape: FigureShape, piece: Piece): Kept | undefined {
    const kept = this.#kept.get(`${shape.figure.table} ${piece.place}`)
    return kept?.version === piece.version ? kept : this.#cut(shape, piece)
  }

  /** Part of a bucket that does not change, from its calls, where these are kept. */
  #cut(shape: FigureShape, { startSeconds, cut, place, version }: Piece): Kept | undefined {
    if (cut === undefined) return undefined
    const calls = this.#kept.get(callsKey(shape, startSeconds))
    if (calls?.packed === undefined || calls.version !== version) return undefined
    const rows = figuresOf(shape, calls.packed, bucketInterval(startSeconds), cut)
    const kept = { version, rows, bytes: bytesOf(rows) }
    this.#kept.set(`${shape.figure.table} ${place}`, kept)
    return kept
  }

  async #inTurn<Result>(
    shape: FigureShape,
    signal: AbortSignal | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const before = this.#loads.get(shape) ?? Promise.resolve()
    const { promise: done, resolve: finish } = Promise.withResolvers<void>()
    const all = before.then(() => done)
    this.#loads.set(shape, all)
    try {
      await unlessAborted(before, signal)
      return await work()
    } finally {
      finish()
    }
  }

  async #load(
    shape: FigureShape,
    pieces: readonly Piece[],
    signal: AbortSignal | undefined,
  ): Promise<readonly FigureRow[] | undefined> {
    const loaded = new Map<Piece, Kept>()
    const missing: Piece[] = []
    for (const piece of pieces) {
      if (this.#find(shape, piece) !== undefined) continue
      await this.#loadCalls(shape, piece, signal)
      const cut = this.#cut(shape, piece)
      if (cut === undefined) missing.push(piece)
      else loaded.set(piece, cut)
    }
    if (liveIntervals(missing).length > liveIntervalsMax) return undefined
    const growing = missing.filter((piece) => shape.isAdditive && piece.isOpen && piece.cut === undefined)
    for (const [piece, kept] of await this.#growOpen(shape, growing, signal)) loaded.set(piece, kept)
    const left = missing.filter((piece) => !loaded.has(piece))
    for (const [seconds, group] of Map.groupBy(left, (piece) => piece.seconds)) {
      const rows = await this.#query(shape, seconds, group, { signal })
      for (const piece of group) {
        const own = rows?.get(piece.startSeconds) ?? []
        const isKept = rows !== undefined && own.length <= pieceRowsMax
        const kept = { version: piece.version, rows: isKept ? own : undefined, bytes: isKept ? bytesOf(own) : 200 }
        loaded.set(piece, kept)
        this.#kept.set(`${shape.figure.table} ${piece.place}`, kept)
      }
    }
    return this.#sum(shape, pieces, loaded)
  }

  /** The calls of a bucket that does not change and of which the range has a part, unless they are too many. */
  async #loadCalls(
    shape: FigureShape,
    { startSeconds, cut, isOpen, version }: Piece,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (cut === undefined || isOpen) return
    const key = callsKey(shape, startSeconds)
    const bucket = bucketInterval(startSeconds)
    const sql = packedSql(shape, bucket)
    if (sql === undefined || this.#kept.get(key)?.version === version) return
    const [count] = await this.#engine.query<[string]>(spansInSql(bucket), { signal })
    const isFew = Number(count![0]) <= packedSpansMax
    const rows = isFew ? await this.#engine.query<PackedColumns>(sql, { signal }) : []
    const packed = isFew ? readPacked(shape, rows) : undefined
    this.#kept.set(key, { version, packed, bytes: packed === undefined ? 200 : packedBytes(packed) })
  }

  /**
   * Open buckets, from their figures before and the parts that came since. What cannot be told apart is made from all parts;
   * a bucket is missing when parts were merged while they were read.
   */
  async #growOpen(
    shape: FigureShape,
    pieces: readonly Piece[],
    signal: AbortSignal | undefined,
  ): Promise<Map<Piece, Kept>> {
    const grown = new Map<Piece, Kept>()
    if (pieces.length === 0) return grown
    const parts = await listParts(this.#engine, signal)
    const covered = coverageOf(parts)
    const plans = pieces.map((piece) => {
      const before = this.#kept.get(`${shape.figure.table} ${piece.place}`)
      const fresh = before?.covered === undefined ? undefined : partsBeyond(parts, before.covered)
      return fresh === undefined ? { piece, fresh: parts, before: [] } : { piece, fresh, before: before!.rows! }
    })
    const read: { readonly piece: Piece; readonly rows: readonly FigureRow[] }[] = []
    for (const group of Map.groupBy(plans, ({ fresh }) => fresh.map(({ name }) => name).join()).values()) {
      const { fresh } = group[0]!
      const own = group.map(({ piece }) => piece)
      const rows =
        fresh.length === 0
          ? new Map<number, FigureRow[]>()
          : await this.#query(shape, bucketSeconds, own, { signal, only: partConditions(fresh) })
      if (rows === undefined) return grown
      for (const { piece, before } of group) {
        read.push({ piece, rows: sumRows([before, rows.get(piece.startSeconds) ?? []]) })
      }
    }
    // A part that is still there was there all the time.
    const still = new Set((await listParts(this.#engine, signal)).map(({ table, name }) => `${table}/${name}`))
    const used = new Set(plans.flatMap(({ fresh }) => fresh))
    if ([...used].some(({ table, name }) => !still.has(`${table}/${name}`))) return grown
    for (const { piece, rows } of read) {
      if (rows.length > pieceRowsMax) continue
      const kept = { version: piece.version, rows, covered, bytes: bytesOf(rows) + 100 * covered.size }
      grown.set(piece, kept)
      this.#kept.set(`${shape.figure.table} ${piece.place}`, kept)
    }
    return grown
  }

  /** By start of the piece; undefined when there are too many. */
  async #query(
    shape: FigureShape,
    seconds: number,
    pieces: readonly Piece[],
    { signal, only }: QueryOptions,
  ): Promise<Map<number, FigureRow[]> | undefined> {
    const sources: string[] = []
    const columns = shape.figure.columns.join(', ')
    const rolled = pieces.flatMap(({ generations }) => [...(generations ?? [])])
    if (rolled.length > 0) {
      const pairs = rolled.map(([bucket, generation]) => `(${bucket}, ${generation})`).join(', ')
      sources.push(`SELECT ${columns} FROM ${shape.figure.table} WHERE (bucket, generation) IN (${pairs})`)
    }
    const live = liveIntervals(pieces)
    if (live.length > 0) {
      const options = shape === shapes.edges ? await readEdgeOptions(this.#engine, live, signal) : { only }
      sources.push(`SELECT ${columns} FROM (${shape.figure.sql(live, options)})`)
    }
    const rowsMax = Math.min(pieceRowsMax * pieces.length, answerRowsMax)
    const found = await this.#engine.query<FigureColumns>(
      `${rowsSql(shape, sources.join('\nUNION ALL\n'), seconds)} LIMIT ${rowsMax + 1}`,
      { signal },
    )
    if (found.length > rowsMax) return undefined
    const rows = new Map<number, FigureRow[]>()
    for (const line of found) {
      const start = Number(line[0])
      const list = rows.get(start) ?? []
      rows.set(start, list)
      list.push(readFigureRow(shape, line))
    }
    return rows
  }

  /** What is rolled up is summed up first: it stays the same while the rest changes. */
  #sum(
    shape: FigureShape,
    pieces: readonly Piece[],
    loaded: ReadonlyMap<Piece, Kept>,
  ): readonly FigureRow[] | undefined {
    const rowsOf = (piece: Piece): readonly FigureRow[] | undefined =>
      (loaded.get(piece) ?? this.#find(shape, piece))?.rows
    const rolled = pieces.filter(({ generations }) => generations !== undefined)
    const live = pieces.filter(({ generations }) => generations === undefined)
    const base = this.#summed(shape, rolled, () => allOf(rolled.map(rowsOf)))
    if (base === undefined || live.length === 0) return base
    return this.#summed(shape, pieces, () => allOf([base, ...live.map(rowsOf)]))
  }

  #summed(
    shape: FigureShape,
    pieces: readonly Piece[],
    lists: () => readonly (readonly FigureRow[])[] | undefined,
  ): readonly FigureRow[] | undefined {
    const key = `${shape.figure.table}=${pieces.map(({ place, version }) => `${place}@${version}`).join(' ')}`
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept.rows
    const given = lists()
    if (given === undefined) return undefined
    const rows = sumRows(given)
    this.#kept.set(key, { version: '', rows, bytes: bytesOf(rows) + key.length })
    return rows
  }
}

function callsKey(shape: FigureShape, bucket: number): string {
  return `${shape.figure.table} calls ${bucket}`
}

function allOf<Item>(items: readonly (Item | undefined)[]): Item[] | undefined {
  return items.includes(undefined) ? undefined : (items as Item[])
}

/** What must be computed from spans and events. */
function liveIntervals(pieces: readonly Piece[]): Interval[] {
  const live = pieces.filter(({ generations }) => generations === undefined)
  return joinIntervals(live.map(({ cut, startSeconds }) => cut ?? bucketInterval(startSeconds)))
}

function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    void work.then(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
  })
}
