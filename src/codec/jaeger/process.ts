/**
 * The sender of Jaeger spans: a process's service name and tags become a resource, `hostname` under its present name,
 * `host.name`. A client sends the same process with every batch, so resources are remembered by the process's bytes.
 */
import type { Attribute } from '../../model/attributes.ts'
import { makeResource, type Resource } from '../../model/resource.ts'
import { Remembered } from '../remembered.ts'
import { byteKey } from '../utf8.ts'

/** The content of a process, or what is wrong with it. */
export type Process = Resource | string

/** Longer ones are read each time. */
const processBytesMax = 4096

const processes = new Remembered<Process>(4096, processBytesMax + 16)

const currentNames: Readonly<Record<string, string>> = { hostname: 'host.name' }

/** The process in [start, end) of a body in the named encoding, read by `read` when it is not remembered. */
export function rememberedProcess(
  encoding: string,
  bytes: Uint8Array,
  range: { readonly start: number; readonly end: number },
  read: () => Process,
): Process {
  // For a huge process, making the key is not worth it.
  if (range.end - range.start > processBytesMax) return read()
  return processes.get(encoding + byteKey(bytes, range.start, range.end), read)
}

export function makeProcess(serviceName: string, tags: readonly Attribute[]): Resource {
  const attributes: Attribute[] = []
  if (serviceName !== '') attributes.push({ key: 'service.name', value: { type: 'string', value: serviceName } })
  for (const { key, value } of tags) {
    const name = Object.hasOwn(currentNames, key) ? currentNames[key]! : key
    // The process's own name wins over a tag of that name.
    if (name !== 'service.name' || serviceName === '') attributes.push({ key: name, value })
  }
  return makeResource(attributes)
}
