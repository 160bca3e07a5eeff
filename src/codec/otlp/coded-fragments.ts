/** The JSON of each text of a dictionary column, made once per block: the escaped text between `before` and `after`. */
import type { CodedColumn } from '../../model/row-block.ts'
import { JsonBytes, fragment } from './json-bytes.ts'

export class CodedFragments {
  readonly #codes: CodedColumn['codes']
  readonly #bytes: Buffer
  /** The fragment of code i ends at `#ends[i]`, where the fragment of i + 1 begins. */
  readonly #ends: Uint32Array
  readonly #isEmpty: Uint8Array

  constructor({ texts, codes }: CodedColumn, before: string, after: string) {
    this.#codes = codes
    const count = texts.starts.length
    this.#ends = new Uint32Array(count)
    this.#isEmpty = new Uint8Array(count)
    const all = new JsonBytes(1024)
    const [head, tail] = [fragment(before), fragment(after)]
    for (let code = 0; code < count; code++) {
      all.raw(head)
      all.textOf(texts, code)
      all.raw(tail)
      this.#ends[code] = all.length
      if (texts.starts[code] === texts.ends[code]) this.#isEmpty[code] = 1
    }
    this.#bytes = all.take()
  }

  /** Writes the text between `before` and `after`. */
  write(out: JsonBytes, row: number): void {
    const code = this.#codes[row]!
    out.rawSlice(this.#bytes, code === 0 ? 0 : this.#ends[code - 1]!, this.#ends[code]!)
  }

  /** The same, or nothing when the text is empty. */
  writeUnlessEmpty(out: JsonBytes, row: number): void {
    if (!this.isEmpty(row)) this.write(out, row)
  }

  isEmpty(row: number): boolean {
    return this.#isEmpty[this.#codes[row]!] === 1
  }
}
