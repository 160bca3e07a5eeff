/** The services of the shop: what each runs, and whom it calls. */
import { join } from 'node:path'

export interface Service {
  readonly name: string
  readonly language: 'JavaScript' | 'Python'
  readonly version: string
  /** Services whose address it is given as `<NAME>_URL`; without Python, those in Python have none. */
  readonly calls: readonly string[]
}

/** Callees before callers; the gateway, where every request begins, is last. */
export const services: readonly Service[] = [
  { name: 'catalog', language: 'JavaScript', version: '2.4.1', calls: [] },
  { name: 'payment', language: 'JavaScript', version: '1.9.0', calls: [] },
  { name: 'accounts', language: 'Python', version: '3.1.0', calls: [] },
  { name: 'recommendations', language: 'Python', version: '0.7.2', calls: ['catalog'] },
  { name: 'cart', language: 'JavaScript', version: '1.2.0', calls: ['catalog'] },
  { name: 'orders', language: 'JavaScript', version: '4.0.3', calls: ['cart', 'payment'] },
  { name: 'fulfilment', language: 'JavaScript', version: '1.0.5', calls: ['catalog', 'accounts'] },
  {
    name: 'gateway',
    language: 'JavaScript',
    version: '5.2.0',
    calls: ['catalog', 'accounts', 'recommendations', 'cart', 'orders'],
  },
]

const folder = import.meta.dirname

/** The command line that runs a service. */
export function commandOf(service: Service, python: string | null): readonly [string, ...string[]] {
  if (service.language === 'Python') return [python ?? 'python3', '-u', join(folder, 'python', `${service.name}.py`)]
  return [process.execPath, '--import', join(folder, 'js/telemetry.js'), join(folder, 'js', `${service.name}.js`)]
}
