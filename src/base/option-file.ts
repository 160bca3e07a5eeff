/**
 * The configuration file: YAML (which includes JSON), keys nested by dots. `otlp: { http: { port: 4318 } }`,
 * `otlp.http: { port: 4318 }` and `otlp.http.port: 4318` mean the same. Values are kept as the text in the file, so
 * that one parser reads them, flags and environment variables.
 */
import { readFileSync, statSync } from 'node:fs'
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Document, Node } from 'yaml'
import { InputError, messageOf } from './errors.ts'

/** A configuration file is a page of text; anything larger is not one. */
const fileBytesMax = 1 << 20

export interface FileEntry {
  /** Dotted key. */
  readonly key: string
  /** `undefined` when the key has no value, or one that is not a text, number, boolean or list of these. */
  readonly text: string | undefined
  /** `file:line`. */
  readonly place: string
}

/**
 * Leaves of the file in order; keys are not checked. `isKnown` says which keys are options, so that a map below an
 * option is reported as its value and not as unknown keys. Values of the keys for which `isStructured` is true are
 * returned as JSON, whatever their type. Throws `InputError` when the file cannot be read or is not a YAML map.
 */
export function readOptionFile(
  file: string,
  isKnown: (key: string) => boolean,
  isStructured: (key: string) => boolean = () => false,
): FileEntry[] {
  const lines = new LineCounter()
  const document = parseDocument(readText(file), { lineCounter: lines, prettyErrors: false })
  const placeOf = (offset: number | undefined) =>
    offset === undefined ? file : `${file}:${lines.linePos(offset).line}`
  const fault = document.errors[0]
  if (fault !== undefined) {
    throw new InputError('bad_config', `cannot read ${placeOf(fault.pos[0])}: ${fault.message}`, {
      at: placeOf(fault.pos[0]),
    })
  }
  if (document.contents === null) return []
  if (!isMap(document.contents)) {
    throw new InputError(
      'bad_config',
      `cannot read ${placeOf(0)}: expected a map such as "otlp: { http: { port: 4318 } }"`,
      {
        at: file,
      },
    )
  }
  const entries: FileEntry[] = []
  const walk = (node: unknown, key: string, offset: number | undefined): void => {
    const value = isAlias(node) ? node.resolve(document) : node
    if (isStructured(key)) {
      const plain: unknown = (value as Node | null)?.toJS(document) ?? undefined
      entries.push({ key, text: JSON.stringify(plain), place: placeOf(offset) })
      return
    }
    const isEmpty = value === null || (isScalar(value) && value.value === null)
    if (isMap(value) && !isKnown(key)) {
      for (const { key: keyNode, value: child } of value.items) {
        const name = isScalar(keyNode) ? String(keyNode.value) : String(keyNode)
        walk(child, key === '' ? name : `${key}.${name}`, (keyNode as Node).range?.[0])
      }
      return
    }
    entries.push({ key, text: isEmpty ? undefined : textOf(value, document), place: placeOf(offset) })
  }
  walk(document.contents, '', 0)
  return entries
}

function readText(file: string): string {
  try {
    if (statSync(file).size > fileBytesMax) {
      throw new InputError('bad_config', `cannot read ${file}: larger than ${fileBytesMax} bytes`, { at: file })
    }
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('bad_config', `cannot read configuration file ${file}: ${messageOf(error)}`, {
      at: file,
      cause: error,
    })
  }
}

/** Scalars as written (`64MiB`, `0755`, quoted text without its quotes), lists joined by commas. */
function textOf(value: unknown, document: Document): string | undefined {
  if (isScalar(value)) return value.source ?? String(value.value)
  if (!isSeq(value)) return undefined
  const items = value.items.map((item) => (isAlias(item) ? item.resolve(document) : item))
  return items.every((item) => isScalar(item) && item.value !== null)
    ? items.map((item) => textOf(item, document)).join(',')
    : undefined
}
