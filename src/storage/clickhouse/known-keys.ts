/**
 * Facts about the whole store, kept in memory so that a search need not query them: which keys resources have, which
 * dedicated keys have values outside their column, which columns are used at all, and about how many spans there are.
 * All of it is in the store too. The process that writes loads it at start, and the writer adds to it before the rows
 * can be read. In any other process, read/store-watch.ts updates it before each query.
 */
import type { Resource } from '../../model/resource.ts'
import { keyKinds, type KeyKind, type KeyNotes } from '../key-kinds.ts'
import type { KeyKinds } from './compile/conditions.ts'
import type { Engine } from './engine.ts'
import type { NewRows } from './read/store-watch.ts'

/**
 * Maximum of keys remembered: a sender that makes up keys cannot fill the memory. Past it every key counts as a
 * resource key.
 */
const keysMax = 100_000

export class KnownKeys {
  readonly irregular = new Set<string>()
  readonly resource = { has: (key: string) => this.#resourceKeys.has(key) || this.#resourceKeys.size >= this.#keysMax }
  /** Bits of the columns of `spans` that hold something in any row (span-block.ts `presentColumns`). */
  columns = 0
  /** Number of spans stored. Spans that retention removed since the start are still counted. */
  spans = 0
  /** End of the newest span that was stored at the start; -Infinity when there was none. */
  storedUntilMs = -Infinity
  readonly kinds: KeyKinds
  readonly #kindSets = Object.fromEntries(keyKinds.map((kind) => [kind, new Set<string>()])) as Record<
    KeyKind,
    Set<string>
  >
  #unsavedKinds: (readonly [kind: KeyKind, key: string])[] = []
  readonly #resourceKeys = new Set<string>()
  readonly #keysMax: number
  readonly #seen = new WeakSet<Resource>()
  #unsaved: string[] = []

  constructor(max = keysMax) {
    this.#keysMax = max
    const { arrays, maps, bytes, event, link, instrumentation, odd, bodyMaps } = this.#kindSets
    const bounded = (set: ReadonlySet<string>) => ({ has: (key: string) => set.has(key) || set.size >= max })
    this.kinds = {
      arrays: bounded(arrays),
      maps: bounded(maps),
      bytes: bounded(bytes),
      event: bounded(event),
      link: bounded(link),
      instrumentation: bounded(instrumentation),
      odd: bounded(odd),
      get bodyMaps() {
        return bodyMaps.size > 0
      },
    }
  }

  async load(engine: Engine): Promise<void> {
    await this.#loadIrregular(engine)
    await this.#loadKinds(engine)
    await this.#loadResourceKeys(engine, ['spans', 'events'])
    const [used] = await engine.query<[number, string, string]>(
      `SELECT groupBitOr(columns), (SELECT sum(rows) FROM system.parts WHERE active AND table = 'spans'),
         toUnixTimestamp64Milli(max(end_time)) FROM traces`,
    )
    this.columns = used?.[0] ?? 0
    this.spans = Number(used?.[1] ?? 0)
    if (this.spans > 0) this.storedUntilMs = Number(used![2]) + 1
  }

  /** Adds what other processes stored; `spans` is how many there are now. */
  async loadNew(engine: Engine, rows: NewRows, spans: number): Promise<void> {
    this.spans = spans
    if (rows.has('irregular_keys')) await this.#loadIrregular(engine)
    if (rows.has('key_kinds')) await this.#loadKinds(engine)
    const origins = ['spans', 'events'].flatMap((table) => {
      const condition = rows.get(table)
      return condition === undefined ? [] : [`${table} WHERE ${condition}`]
    })
    if (origins.length > 0) await this.#loadResourceKeys(engine, origins)
    const traces = rows.get('traces')
    if (traces === undefined) return
    const [used] = await engine.query<[number]>(`SELECT groupBitOr(columns) FROM traces WHERE ${traces}`)
    this.columns |= used?.[0] ?? 0
  }

  async #loadIrregular(engine: Engine): Promise<void> {
    for (const [key] of await engine.query<[string]>('SELECT DISTINCT key FROM irregular_keys')) this.irregular.add(key)
  }

  async #loadKinds(engine: Engine): Promise<void> {
    const kinds = await engine.query<[KeyKind, string]>('SELECT DISTINCT toString(kind), key FROM key_kinds')
    for (const [kind, key] of kinds) this.#kindSets[kind]?.add(key)
  }

  async #loadResourceKeys(engine: Engine, origins: readonly string[]): Promise<void> {
    const resources = origins.map((origin) => `SELECT DISTINCT resource FROM ${origin}`).join(' UNION ALL ')
    const rows = await engine.query<[string]>(
      `SELECT DISTINCT arrayJoin(JSONExtractKeys(toString(resource), 'attributes')) FROM (${resources}) LIMIT ${this.#keysMax}`,
    )
    for (const [key] of rows) if (this.#resourceKeys.size < this.#keysMax) this.#resourceKeys.add(key)
  }

  addResource(resource: Resource): void {
    if (this.#seen.has(resource)) return
    this.#seen.add(resource)
    for (const { key } of resource.attributes) {
      if (this.#resourceKeys.size < this.#keysMax) this.#resourceKeys.add(key)
    }
  }

  addIrregular(key: string): void {
    if (this.irregular.has(key)) return
    this.irregular.add(key)
    this.#unsaved.push(key)
  }

  addNotes({ sets }: KeyNotes): void {
    for (const kind of keyKinds) {
      const known = this.#kindSets[kind]
      for (const key of sets[kind]) {
        if (known.has(key) || known.size >= this.#keysMax) continue
        known.add(key)
        this.#unsavedKinds.push([kind, key])
      }
    }
  }

  /** Saves irregular keys and kinds. They must be durable before the rows that have them. */
  async save(engine: Engine): Promise<void> {
    await this.#saveKinds(engine)
    const keys = this.#unsaved
    if (keys.length === 0) return
    const parameters = { keys }
    await engine.execute('INSERT INTO irregular_keys SELECT arrayJoin({keys:Array(String)})', { parameters })
    this.#unsaved = this.#unsaved.slice(keys.length)
  }

  async #saveKinds(engine: Engine): Promise<void> {
    const added = this.#unsavedKinds
    if (added.length === 0) return
    const parameters = { kinds: added.map(([kind]) => kind), keys: added.map(([, key]) => key) }
    await engine.execute(
      `INSERT INTO key_kinds SELECT entry.1, entry.2
       FROM (SELECT arrayJoin(arrayZip({kinds:Array(String)}, {keys:Array(String)})) AS entry)`,
      { parameters },
    )
    this.#unsavedKinds = this.#unsavedKinds.slice(added.length)
  }
}
