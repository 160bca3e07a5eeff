/** Columns as the engine's JSON gives them -> rows of the model. */
import { fromTyped, parseTyped, type Attribute } from '../../../model/attributes.ts'
import { dedicatedAttributes } from '../../dedicated.ts'

/** SELECT expressions, for the spans' maps and dedicated columns that hold something. */
export function attributeSelects(present: (column: string) => boolean): { sql: string[]; read: AttributeReader } {
  const dedicated = dedicatedAttributes.filter(({ column }) => present(column))
  const maps = ['attributes_string', 'attributes_number', 'attributes_other'].filter(present)
  const sql = [...dedicated.map(({ column }) => column), ...maps]
  const read: AttributeReader = (row, at) => {
    const attributes: Attribute[] = []
    dedicated.forEach(({ key, type }, i) => {
      const value = row[at + i]
      if (type === 'port') {
        if (value !== 0) attributes.push({ key, value: { type: 'int', value: BigInt(value as number) } })
      } else if (value !== '') attributes.push({ key, value: { type: 'string', value: value as string } })
    })
    maps.forEach((map, i) => {
      const entries = row[at + dedicated.length + i] as [string, string | number][]
      for (const [key, value] of entries) attributes.push({ key, value: mapValue(map, value) })
    })
    return attributes
  }
  return { sql: sql.map((column) => (column.startsWith('attributes_') ? mapEntries(column) : column)), read }
}

export type AttributeReader = (row: readonly unknown[], at: number) => Attribute[]

/** As pairs: a JSON object would lose a key that came twice. */
function mapEntries(column: string): string {
  return `arrayZip(mapKeys(${column}), mapValues(${column}))`
}

function mapValue(map: string, value: string | number): Attribute['value'] {
  if (map === 'attributes_string') return { type: 'string', value: value as string }
  if (map === 'attributes_other') return fromTyped(parseTyped(value as string))
  const number = Number(value)
  return Number.isInteger(number) ? { type: 'int', value: BigInt(number) } : { type: 'double', value: number }
}

/** SQL for an id column as hex text, '' for all zero. */
export function hexOrEmpty(column: string, bytes: 8 | 16): string {
  return `if(${column} = toFixedString('', ${bytes}), '', lower(hex(${column})))`
}

export function nanosOf(column: string): string {
  return `toUnixTimestamp64Nano(${column})`
}
