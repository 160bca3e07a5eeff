/**
 * What a key of a structured record means, by the names in common use (OTel, ECS, GELF, journald, Docker, Fluent Bit,
 * Serilog, and the loggers of the larger languages). Case, `.`, `-` and `_` make no difference: `eventTime`, `event.time` and
 * `event_time` are one name. When several keys mean the same, the lowest rank wins; the others stay attributes.
 */
export const slots = {
  body: 0,
  time: 1,
  type: 2,
  severity: 3,
  severityNumber: 4,
  scope: 5,
  traceId: 6,
  spanId: 7,
  flags: 8,
  carrier: 9,
  /** Datadog's ids, which are decimal. */
  datadogTrace: 10,
  datadogSpan: 11,
} as const

/** The first slot of resource attributes; slot `resourceSlot + i` is `resourceKeys[i]`. */
export const resourceSlot = 12

/** Resource attributes that records name, by their names in the OTel semantic conventions. */
export const resourceKeys = [
  'service.name',
  'service.version',
  'service.namespace',
  'service.instance.id',
  'deployment.environment.name',
  'host.name',
  'process.pid',
  'container.name',
  'container.id',
  'k8s.namespace.name',
  'k8s.pod.name',
  'k8s.pod.uid',
  'k8s.container.name',
  'k8s.node.name',
  'k8s.deployment.name',
] as const

export const slotCount = resourceSlot + resourceKeys.length

export interface Field {
  readonly slot: number
  readonly rank: number
  /** For carriers: which parser reads the value. */
  readonly carrier: string
}

const slotNames: readonly (readonly [number, string])[] = [
  [slots.body, 'message msg log short_message body event_message @message @m @mt'],
  [slots.time, '@timestamp timestamp time ts event_time datetime date_time date eventtimestamp timemillis @t'],
  [slots.type, 'event_name eventname event_type eventtype event_action type event'],
  [slots.severity, 'severity_text level severity log_level loglevel levelname lvl priority @l'],
  [slots.severityNumber, 'severity_number'],
  [slots.scope, 'logger_name logger log_logger sys_name'],
  [
    slots.traceId,
    'trace_id traceid oteltraceid otel_trace_id x_b3_traceid xray_trace_id @tr logging_googleapis_com/trace trace',
  ],
  [slots.spanId, 'span_id spanid otelspanid otel_span_id x_b3_spanid @sp logging_googleapis_com/spanid'],
  [
    slots.flags,
    'trace_flags traceflags oteltraceflags logging_googleapis_com/trace_sampled trace_sampled tracesampled',
  ],
  [slots.datadogTrace, 'dd_trace_id x_datadog_trace_id'],
  [slots.datadogSpan, 'dd_span_id x_datadog_parent_id'],
]

/** Nested names rank after all others. */
const nestedRank = 100

/** ECS's id of the first span in a service. Spelled in any other way, it is the id of a business transaction. */
const transaction = 'transaction.id'

/** Other names of resource attributes, best first; the attribute's own name always comes before them. */
const resourceNames: readonly (readonly [(typeof resourceKeys)[number], string])[] = [
  ['service.name', 'otelservicename service app_name appname application app program syslog_identifier source'],
  ['deployment.environment.name', 'deployment_environment'],
  ['host.name', 'hostname host sys_host _hostname nodename'],
  ['process.pid', 'pid process_id procid process _pid'],
  ['container.name', 'docker_container_name'],
  ['k8s.namespace.name', 'namespace_name'],
  ['k8s.pod.name', 'pod_name'],
  ['k8s.pod.uid', 'pod_id'],
]

/** Best first; each is followed by its other names. */
const carrierNames: readonly (readonly [carrier: string, others: string])[] = [
  ['traceparent', ''],
  ['b3', ''],
  ['uber-trace-id', ''],
  ['x-amzn-trace-id', '_x_amzn_trace_id'],
  ['x-cloud-trace-context', ''],
  ['request-id', 'requestid activity_id activityid'],
]

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-.]/g, '_')
}

const table = new Map<string, Field>()
for (const [slot, names] of slotNames) add(slot, names.split(' '))
for (const [index, key] of resourceKeys.entries()) {
  const others = resourceNames.find(([name]) => name === key)?.[1].split(' ') ?? []
  add(resourceSlot + index, [key, ...others])
}
for (const [rank, [carrier, others]] of carrierNames.entries()) {
  const field = { slot: slots.carrier, rank, carrier }
  for (const name of [carrier, ...others.split(' ')]) if (name !== '') table.set(plain(name), field)
}

function add(slot: number, names: readonly string[]): void {
  names.forEach((name, rank) => table.set(plain(name), { slot, rank, carrier: '' }))
}

/** Camel case is tried last: `eventTime` is `event_time`, while `traceId` and `TRACEID` are `traceid`. */
export function fieldNamed(name: string): Field | undefined {
  if (name.length > 40) return undefined
  if (name === transaction) return { slot: slots.spanId, rank: nestedRank, carrier: '' }
  return table.get(plain(name)) ?? table.get(plain(name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')))
}

/** Fields of a map that Fluent Bit and Fluentd put under `kubernetes`. */
const kubernetesNames: Readonly<Record<string, (typeof resourceKeys)[number]>> = {
  namespace_name: 'k8s.namespace.name',
  pod_name: 'k8s.pod.name',
  pod_id: 'k8s.pod.uid',
  container_name: 'k8s.container.name',
  host: 'k8s.node.name',
  docker_id: 'container.id',
}

/** Maps in which loggers keep values for some time, including the ids of the current span: MDC, context, fields. */
const contextMaps =
  /^(mdc|contextmap|context|ctx|@?fields|attributes|extra|properties|labels|metadata|message|msg|body)$/

const idSlots: ReadonlySet<number> = new Set<number>([
  slots.traceId,
  slots.spanId,
  slots.flags,
  slots.datadogTrace,
  slots.datadogSpan,
])

/** Maps that contain only ids, which loggers may put into another map. */
export const isIdMap = (name: string): boolean => /^(trace|span|transaction|dd)$/.test(name)

/** Whether a map with this name (in lower case) may contain ids at all. */
export const mayHoldIds = (name: string): boolean => isIdMap(name) || contextMaps.test(name) || name === 'headers'

/** For a time given in parts. */
export const timeField: Field = { slot: slots.time, rank: nestedRank, carrier: '' }

/**
 * What `name` means inside a map called `parent` (one level down): headers carry context, loggers keep ids in their own
 * map, ECS nests names (`service: {name}`), Rust's `tracing` nests the message, and Kubernetes metadata names the pod.
 */
export function nestedFieldNamed(parent: string, name: string): Field | undefined {
  const own = fieldNamed(name)
  if (own?.slot === slots.carrier || /^x[-_](b3|datadog)[-_]/i.test(name)) return own
  if (parent === 'kubernetes') {
    const key = Object.hasOwn(kubernetesNames, name) ? kubernetesNames[name]! : undefined
    return key === undefined ? undefined : { slot: resourceSlot + resourceKeys.indexOf(key), rank: 1, carrier: '' }
  }
  if (own !== undefined && contextMaps.test(parent)) {
    const isId = idSlots.has(own.slot)
    const isMessage = own.slot === slots.body && parent === 'fields'
    return isId || isMessage ? { ...own, rank: nestedRank + own.rank } : undefined
  }
  if (parent === 'transaction') return name === 'id' ? fieldNamed(transaction) : undefined
  return /^(service|host|process|log|event|trace|span|container|otel|dd)$/.test(parent)
    ? fieldNamed(`${parent}_${name}`)
    : undefined
}
