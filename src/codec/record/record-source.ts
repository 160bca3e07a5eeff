/**
 * The resource and scope of rows that name their source by ordinary keys (`service`, `host`, `pid`, …). Consecutive
 * rows mostly have the same source, so each is compared with the previous one; a batch contains each resource once.
 */
import type { Attribute } from '../../model/attributes.ts'
import { valueTypes } from '../../model/attribute-columns.ts'
import type { EventBatchBuilder } from '../../model/event-batch.ts'
import { emptyScope, makeResource, makeScope, type Resource, type Scope } from '../../model/resource.ts'
import { resourceKeys, resourceSlot, slots } from './fields.ts'
import type { ColumnValue, SlotValues } from './slot-values.ts'

export interface SourceDefaults {
  /** `service.name` of rows without one; '' leaves it unknown. */
  readonly service: string
  /** `host.name` of rows without one: the peer's address. */
  readonly host: string
}

const serviceSlot = resourceSlot + resourceKeys.indexOf('service.name')
const hostSlot = resourceSlot + resourceKeys.indexOf('host.name')
const pidSlot = resourceSlot + resourceKeys.indexOf('process.pid')
const slotMask = ((1 << resourceKeys.length) - 1) << resourceSlot

/** Resources are remembered from batch to batch: 4096 of about 1 KiB. */
const rememberedMax = 4096
const remembered = new Map<string, Resource>()

export class RecordSource {
  readonly #builder: EventBatchBuilder
  readonly #values: SlotValues
  #defaults: SourceDefaults = { service: '', host: '' }
  #origin: { resource: Resource; scope: Scope } | undefined
  /** Source of the previous row: which slots it filled, and with what. */
  #lastMask = -1
  readonly #last: (ColumnValue | undefined)[] = []
  #lastIndex = 0
  readonly #resources = new Map<Resource, number>()
  readonly #scopes = new Map<string, number>()

  constructor(builder: EventBatchBuilder, values: SlotValues) {
    this.#builder = builder
    this.#values = values
  }

  reset(): void {
    this.#defaults = { service: '', host: '' }
    this.#origin = undefined
    this.#lastMask = -1
    this.#resources.clear()
    this.#scopes.clear()
  }

  setDefaults(defaults: SourceDefaults): void {
    if (defaults.service === this.#defaults.service && defaults.host === this.#defaults.host) return
    this.#defaults = defaults
    this.#lastMask = -1
  }

  setOrigin(resource: Resource | undefined, scope: Scope | undefined): void {
    this.#origin = resource === undefined ? undefined : { resource, scope: scope ?? emptyScope }
    this.#lastMask = -1
  }

  /** Sets the row's resource and scope from the slots; unusable values become attributes. */
  assign(row: number): void {
    const builder = this.#builder
    const values = this.#values
    if (this.#origin !== undefined) {
      for (let slot = slots.scope; values.present !== 0 && slot < resourceSlot + resourceKeys.length; slot++)
        values.spill(slot)
      builder.resourceIndexes[row] = this.#indexOf(this.#origin.resource)
      builder.scopeIndexes[row] = this.#scopeIndex(this.#origin.scope)
      return
    }
    builder.scopeIndexes[row] = this.#takeScope()
    this.#spillUnfit()
    const mask = values.present & slotMask
    if (mask !== this.#lastMask || !this.#sameAsLast(mask)) this.#remember(mask)
    builder.resourceIndexes[row] = this.#lastIndex
    values.present &= ~slotMask
  }

  #takeScope(): number {
    const values = this.#values
    if (values.has(slots.scope) && values.type(slots.scope) === valueTypes.string) {
      const name = values.text(slots.scope)
      values.take(slots.scope)
      return this.#scopes.get(name) ?? this.#scopeIndex(makeScope(name))
    }
    values.spill(slots.scope)
    return this.#scopes.get('') ?? this.#scopeIndex(emptyScope)
  }

  /** A pid that is a word, or a source that is a stream: then the key did not have its usual meaning. */
  #spillUnfit(): void {
    const values = this.#values
    if (values.has(pidSlot) && values.type(pidSlot) !== valueTypes.int && !/^\d{1,10}$/.test(this.#textOf(pidSlot))) {
      values.spill(pidSlot)
    }
    if (values.has(serviceSlot) && this.#isUnfit(serviceSlot)) values.spill(serviceSlot)
    if (values.has(hostSlot) && this.#isUnfit(hostSlot)) values.spill(hostSlot)
  }

  #isUnfit(slot: number): boolean {
    const { type, b } = this.#values.peek(slot)
    if (type !== valueTypes.string || b === 0) return true
    return b === 6 && /^std(out|err)$/.test(this.#values.text(slot))
  }

  #textOf(slot: number): string {
    return this.#values.type(slot) === valueTypes.string ? this.#values.text(slot) : ''
  }

  #sameAsLast(mask: number): boolean {
    for (let i = 0; i < resourceKeys.length; i++) {
      const slot = resourceSlot + i
      if ((mask & (1 << slot)) !== 0 && !this.#values.same(slot, this.#last[i]!)) return false
    }
    return true
  }

  #remember(mask: number): void {
    this.#lastMask = mask
    let key = `${this.#defaults.service}\0${this.#defaults.host}`
    const attributes: Attribute[] = []
    for (let i = 0; i < resourceKeys.length; i++) {
      const slot = resourceSlot + i
      if ((mask & (1 << slot)) === 0) continue
      this.#last[i] = this.#values.peek(slot)
      const value = this.#values.value(slot)
      const isPidText = slot === pidSlot && value.type === 'string'
      const kept = isPidText ? ({ type: 'int', value: BigInt(value.value) } as const) : value
      attributes.push({ key: resourceKeys[i]!, value: kept })
      key += `\0${i} ${kept.type} ${kept.value}`
    }
    this.#lastIndex = this.#indexOf(remembered.get(key) ?? this.#make(key, attributes))
  }

  #make(key: string, attributes: Attribute[]): Resource {
    const given = (name: string): boolean => attributes.some((attribute) => attribute.key === name)
    const container = attributes.find(({ key: name }) => name === 'k8s.container.name' || name === 'container.name')
    const fallback = (name: string, value: string): void => {
      if (value !== '' && !given(name)) attributes.push({ key: name, value: { type: 'string', value } })
    }
    if (container?.value.type === 'string') fallback('service.name', container.value.value.replace(/^\//, ''))
    fallback('service.name', this.#defaults.service)
    fallback('host.name', this.#defaults.host)
    const resource = makeResource(attributes)
    if (remembered.size >= rememberedMax) remembered.clear()
    if (key.length < 4096) remembered.set(key, resource)
    return resource
  }

  #indexOf(resource: Resource): number {
    let index = this.#resources.get(resource)
    if (index === undefined) {
      index = this.#builder.resources.push(resource) - 1
      this.#resources.set(resource, index)
    }
    return index
  }

  #scopeIndex(scope: Scope): number {
    const key = scope.json === '' || scope.json === makeScope(scope.name).json ? scope.name : `\0${scope.json}`
    let index = this.#scopes.get(key)
    if (index === undefined) {
      index = this.#builder.scopes.push(scope) - 1
      this.#scopes.set(key, index)
    }
    return index
  }
}
