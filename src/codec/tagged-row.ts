/**
 * Span fields that Zipkin and Jaeger do not have and OpenTelemetry therefore writes as tags ("Transformation to
 * non-OTLP formats" in its specification), moved back to their fields:
 *
 * | tag | becomes |
 * |---|---|
 * | otel.status_code = OK, ERROR, UNSET | status |
 * | otel.status_description | status message, when there is a status |
 * | error = true, "true" | status error, unless otel.status_code says otherwise |
 * | error = other text | Zipkin: status error with that message, the tag stays; Jaeger: an attribute |
 * | span.kind = internal, server, client, producer, consumer | kind, where the protocol gave none |
 * | w3c.tracestate | trace state |
 * | otel.scope.name, otel.scope.version (once otel.library.…) | scope |
 *
 * Tags with other values stay attributes, so that nothing is lost.
 */
import { valueTypes, type ValueType } from '../model/attribute-columns.ts'
import { emptyScope, makeScope, type Scope } from '../model/resource.ts'
import { spanKinds, statusCodes, type SpanBatchBuilder } from '../model/span-batch.ts'
import { KeyRoles, plainKey } from './key-roles.ts'
import { Remembered } from './remembered.ts'
import { utf8Text } from './utf8.ts'

const role = { statusCode: 1, statusDescription: 2, error: 3, kind: 4, traceState: 5, scopeName: 6, scopeVersion: 7 }

const roleNames = {
  'otel.status_code': role.statusCode,
  'otel.status_description': role.statusDescription,
  error: role.error,
  'span.kind': role.kind,
  'w3c.tracestate': role.traceState,
  'otel.scope.name': role.scopeName,
  'otel.scope.version': role.scopeVersion,
  'otel.library.name': role.scopeName,
  'otel.library.version': role.scopeVersion,
}

const codes = {
  unset: statusCodes.indexOf('unset'),
  ok: statusCodes.indexOf('ok'),
  error: statusCodes.indexOf('error'),
}
const none = -1

const scopes = new Remembered<Scope>(1024, 1024)

export class TaggedRow {
  #builder: SpanBatchBuilder
  readonly #roles = new KeyRoles(roleNames)
  /** Whether any text under `error` means an error, as in Zipkin. */
  readonly #errorTextIsError: boolean
  readonly #scopeIndexes = new Map<Scope, number>()
  #row = 0
  #givenStatus = none
  #hasError = false
  #descriptionKey = none
  readonly #description = { start: 0, length: 0 }
  readonly #errorText = { start: 0, length: 0 }
  #scopeName = ''
  #scopeVersion = ''

  constructor(builder: SpanBatchBuilder, options: { errorTextIsError: boolean }) {
    this.#builder = builder
    this.#errorTextIsError = options.errorTextIsError
  }

  /** Call this when the builder is reset or replaced. */
  reset(builder: SpanBatchBuilder): void {
    this.#builder = builder
    this.#roles.reset()
    this.#scopeIndexes.clear()
  }

  begin(row: number): void {
    this.#row = row
    this.#givenStatus = this.#descriptionKey = none
    this.#hasError = false
    this.#errorText.length = 0
    this.#scopeName = this.#scopeVersion = ''
  }

  /** Adds one tag: the number of its key, and its value in the form of columns. Texts must be UTF-8. */
  add(key: number, type: ValueType, a: number, b: number): void {
    if (!this.#take(key, type, a, b)) this.#builder.attributes.add(key, type, a, b)
  }

  /** Sets status and scope of the row. */
  end(): void {
    const builder = this.#builder
    const row = this.#row
    const status = this.#givenStatus !== none ? this.#givenStatus : this.#hasError ? codes.error : codes.unset
    builder.statuses[row] = status
    if (this.#descriptionKey !== none) {
      const { start, length } = this.#description
      if (status === codes.unset) builder.attributes.add(this.#descriptionKey, valueTypes.string, start, length)
      else this.#setMessage(start, length)
    } else if (status === codes.error && this.#errorText.length > 0) {
      this.#setMessage(this.#errorText.start, this.#errorText.length)
    }
    builder.scopeIndexes[row] = this.#scopeIndex()
  }

  /** True when the tag went to its field and is not an attribute. */
  #take(key: number, type: ValueType, a: number, b: number): boolean {
    const { dictionary, arena } = this.#builder
    const found = this.#roles.of(key, dictionary, arena.bytes)
    if (found === plainKey) return false
    if (found === role.error && type === valueTypes.bool) {
      if (a === 1) this.#hasError = true
      return a === 1
    }
    if (type !== valueTypes.string) return false
    const text = (): string => utf8Text(arena.bytes, a, a + b)
    switch (found) {
      case role.statusCode: {
        const code = statusCodes.indexOf(text().toLowerCase() as (typeof statusCodes)[number])
        if (code >= 0) this.#givenStatus = code
        return code >= 0
      }
      case role.statusDescription:
        this.#descriptionKey = key
        this.#description.start = a
        this.#description.length = b
        return true
      case role.error:
        return this.#takeErrorText(text(), a, b)
      case role.kind: {
        const kind = spanKinds.indexOf(text() as (typeof spanKinds)[number])
        if (kind <= 0 || this.#builder.kinds[this.#row] !== 0) return false
        this.#builder.kinds[this.#row] = kind
        return true
      }
      case role.traceState:
        this.#builder.traceStates[this.#row * 2] = a
        this.#builder.traceStates[this.#row * 2 + 1] = b
        return true
      case role.scopeName:
        this.#scopeName = text()
        return true
      case role.scopeVersion:
        this.#scopeVersion = text()
        return true
      default:
        return false
    }
  }

  #takeErrorText(text: string, start: number, length: number): boolean {
    if (text === 'true') {
      this.#hasError = true
      return true
    }
    if (this.#errorTextIsError && text !== 'false') {
      this.#hasError = true
      this.#errorText.start = start
      this.#errorText.length = length
    }
    return false
  }

  #setMessage(start: number, length: number): void {
    this.#builder.statusMessages[this.#row * 2] = start
    this.#builder.statusMessages[this.#row * 2 + 1] = length
  }

  #scopeIndex(): number {
    const [name, version] = [this.#scopeName, this.#scopeVersion]
    const isEmpty = name === '' && version === ''
    const scope = isEmpty ? emptyScope : scopes.get(`${name}\0${version}`, () => makeScope(name, version))
    let index = this.#scopeIndexes.get(scope)
    if (index === undefined) {
      index = this.#builder.scopes.push(scope) - 1
      this.#scopeIndexes.set(scope, index)
    }
    return index
  }
}
