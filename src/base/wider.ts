type Column = Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>

/**
 * A larger copy, with zeros after the old values. It is twice as large by default, so that growing stays cheap on
 * average.
 */
export function wider<C extends Column>(column: C, length = column.length * 2): C {
  const copy = new (column.constructor as new (length: number) => C)(length)
  copy.set(column)
  return copy
}
