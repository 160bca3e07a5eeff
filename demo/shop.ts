/** The running shop: its services as processes, restarted when one dies, stopped in order. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { Child } from './child.ts'
import { commandOf, type Service, services } from './services.ts'
import type { Say } from './setup.ts'

/** The services that can run here. */
export function servicesWith(python: string | null): Service[] {
  return services.filter(({ language }) => language !== 'Python' || python !== null)
}

export interface ShopOptions {
  /** Where telemetry goes, such as `http://127.0.0.1:4318`. */
  readonly otlpHttpUrl: string
  readonly otlpGrpcUrl: string
  /** Python of the virtual environment; null leaves out the services in Python. */
  readonly python: string | null
  /** Folder for the databases. */
  readonly dataDir: string
  readonly say: Say
}

/** Filling the catalog on a busy machine takes some seconds. */
const readyTimeoutMs = 60_000
const stopTimeoutMs = 5_000
const restartsMax = 5

export class Shop {
  readonly gatewayUrl: string
  readonly services: readonly Service[]
  readonly #children: Child[]
  readonly #say: Say
  #restarts = 0
  #isStopping = false
  readonly #restarting = new Set<Promise<void>>()

  constructor(options: ShopOptions, chosen: readonly Service[], ports: readonly number[]) {
    const urls = new Map(chosen.map(({ name }, index) => [name, `http://127.0.0.1:${ports[index]}`]))
    this.services = chosen
    this.gatewayUrl = urls.get('gateway')!
    this.#say = options.say
    this.#children = chosen.map(
      (service) =>
        new Child({
          name: service.name,
          command: commandOf(service, options.python),
          env: environmentOf(service, urls, options),
          readyUrl: `${urls.get(service.name)}/healthz`,
          readyTimeoutMs,
          stopTimeoutMs,
          onDied: (child, reason) => this.#restart(child, reason),
        }),
    )
  }

  /** Starts all services together; throws when one does not start, and leaves stopping to the caller. */
  async start(): Promise<void> {
    const started = await Promise.allSettled(this.#children.map((child) => child.start()))
    const failed = started.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** The gateway first, so that nothing new comes to the others. Ends a start under way. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const [gateway, ...others] = this.#children.toReversed()
    await gateway?.stop()
    await Promise.all(others.map((child) => child.stop()))
    await Promise.allSettled(this.#restarting)
  }

  #restart(child: Child, reason: string): void {
    if (this.#isStopping) return
    this.#restarts += 1
    const output = child.output.trimEnd()
    this.#say(`${child.name} ${reason}${output === '' ? '' : `:\n${output}`}`)
    if (this.#restarts > restartsMax) return this.#say(`${child.name} is left as it is after ${restartsMax} restarts`)
    const restarting = child
      .start()
      .then(() => this.#say(`${child.name} runs again`))
      .catch((error: Error) => {
        if (!this.#isStopping) this.#say(error.message)
      })
      .finally(() => this.#restarting.delete(restarting))
    this.#restarting.add(restarting)
  }
}

function environmentOf(
  service: Service,
  urls: ReadonlyMap<string, string>,
  options: ShopOptions,
): Record<string, string> {
  const environment: Record<string, string> = {
    PORT: new URL(urls.get(service.name)!).port,
    SHOP_DATA: options.dataDir,
    OTEL_SERVICE_NAME: service.name,
    OTEL_RESOURCE_ATTRIBUTES: resourceOf(service),
    OTEL_EXPORTER_OTLP_ENDPOINT: service.language === 'Python' ? options.otlpGrpcUrl : options.otlpHttpUrl,
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    // The stable names of the HTTP and database conventions, which the Python instrumentations only use when asked to.
    OTEL_SEMCONV_STABILITY_OPT_IN: 'http,database',
  }
  for (const name of service.calls) environment[`${name.toUpperCase()}_URL`] = urls.get(name) ?? ''
  return environment
}

function resourceOf(service: Service): string {
  const attributes = {
    'service.namespace': 'shop',
    'service.version': service.version,
    'service.instance.id': randomUUID(),
    'deployment.environment.name': 'demo',
    'host.name': hostname(),
  }
  return Object.entries(attributes)
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join(',')
}
