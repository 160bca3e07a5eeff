/**
 * The span attributes that people search for most have a column of their own instead of an entry in a map. That takes
 * less space, and a search reads just that column. Types: `keyword` for few different strings (a dictionary), `text`
 * for many, `port` for whole numbers 1-65535. A value of another type, an empty string, or a second value of the same
 * key stays in the maps, so nothing is lost.
 * Names: OpenTelemetry semantic conventions 1.44.
 */
export type DedicatedType = 'keyword' | 'text' | 'port'

export interface DedicatedAttribute {
  readonly key: string
  readonly column: string
  readonly type: DedicatedType
}

function row(key: string, type: DedicatedType): DedicatedAttribute {
  return { key, column: key.replace(/[^a-z0-9]/g, '_'), type }
}

/** Appending a row here needs a migration that adds the column. */
export const dedicatedAttributes: readonly DedicatedAttribute[] = [
  row('http.request.method', 'keyword'),
  row('http.route', 'keyword'),
  row('http.response.status_code', 'port'),
  row('url.path', 'text'),
  row('user_agent.original', 'keyword'),
  row('server.address', 'keyword'),
  row('server.port', 'port'),
  row('user.id', 'text'),
  row('db.system', 'keyword'),
  row('db.system.name', 'keyword'),
  row('db.namespace', 'keyword'),
  row('db.operation.name', 'keyword'),
  row('db.collection.name', 'keyword'),
  row('db.query.text', 'keyword'),
  row('rpc.system', 'keyword'),
  row('rpc.service', 'keyword'),
  row('rpc.method', 'keyword'),
  row('messaging.system', 'keyword'),
  row('messaging.destination.name', 'keyword'),
  row('peer.service', 'keyword'),
  row('error.type', 'keyword'),
]

export const dedicatedByKey: ReadonlyMap<string, DedicatedAttribute> = new Map(
  dedicatedAttributes.map((d) => [d.key, d]),
)
