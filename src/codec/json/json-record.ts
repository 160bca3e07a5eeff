/** A JSON object as one row of events: its keys go through `RecordRow`; texts without escapes are not copied. */
import { valueTypes } from '../../model/attribute-columns.ts'
import type { RecordRow } from '../record/record-row.ts'
import { quote } from './json-scanner.ts'
import type { JsonValueReader } from './value-reader.ts'

/** Renames a key; `behind` is a name that counts only when no other key has the same meaning. */
export type Rename = (key: string) => string | { readonly behind: string } | undefined

/**
 * Puts every key of the object at the reader's place; `name` may change a key (GELF) or drop it with `undefined`.
 * The reader's bytes must be the batch's arena up to the reader's end. Throws `InputError`; the caller drops the row.
 */
export function putObject(reader: JsonValueReader, record: RecordRow, name?: Rename): void {
  reader.members(() => {
    if (name === undefined) return putMember(reader, record, readKey(reader, record))
    reader.name()
    const key = name(reader.text())
    if (key === undefined) reader.skip()
    else if (typeof key === 'string') putMember(reader, record, record.keyOf(key))
    else record.putBehind(key.behind, reader.value())
  })
}

function putMember(reader: JsonValueReader, record: RecordRow, key: number): void {
  if (reader.peek() !== quote) {
    const value = reader.value()
    record.putKeyed(key, value)
    return record.lookInto(key, value)
  }
  reader.string()
  const { textStart, textEnd } = reader
  if (!reader.hasEscapes) return record.put(key, valueTypes.string, textStart, textEnd - textStart)
  record.putKeyed(key, { type: 'string', value: reader.text() })
}

function readKey(reader: JsonValueReader, record: RecordRow): number {
  reader.name()
  if (reader.hasEscapes) return record.keyOf(reader.text())
  return record.builder.dictionary.intern(record.builder.arena.bytes, reader.textStart, reader.textEnd)
}
