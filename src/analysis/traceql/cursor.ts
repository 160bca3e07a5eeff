/** The parser's position in the tokens, and the problems it has found so far. */
import type { Problem } from './problem.ts'
import type { Place } from './syntax.ts'
import { nameOf, type Token } from './token.ts'

/** The maximum depth of nested parentheses, signs and powers. */
const depthMax = 100
/** The maximum number of operators and stages in one query. A chain of them becomes an equally deep tree. */
const operatorsMax = 1_000
/** The maximum number of problems that are reported. The first one matters most. */
const problemsMax = 20

/** Thrown by `fail` and caught where the parser can go on: at the end of a filter or a stage. */
class ParseStop extends Error {}

export class Cursor {
  readonly text: string
  readonly problems: Problem[] = []
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0
  #operators = 0

  constructor(text: string, tokens: readonly Token[]) {
    this.text = text
    this.#tokens = tokens
  }

  get token(): Token {
    return this.#tokens[this.#at]!
  }

  /** The token after this one. */
  get following(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)]!
  }

  get isAtEnd(): boolean {
    return this.token.kind === 'end'
  }

  take(): Token {
    const { token } = this
    if (token.kind !== 'end') this.#at++
    return token
  }

  isSymbol(text: string): boolean {
    const { token } = this
    return token.kind === 'symbol' && token.text === text
  }

  isWord(text: string): boolean {
    const { token } = this
    return token.kind === 'word' && token.text === text
  }

  /** Moves past a symbol when it is the next token. */
  takeSymbol(text: string): boolean {
    if (!this.isSymbol(text)) return false
    this.#at++
    return true
  }

  /** `where` completes "`)` is missing …". */
  expect(symbol: string, where: string): void {
    if (!this.takeSymbol(symbol)) this.fail(`\`${symbol}\` is missing ${where}, before ${this.describe()}`)
  }

  /** The place from `start` to the end of the last token that was read. */
  placeFrom(start: number): Place {
    const end = this.#at === 0 ? 0 : this.#tokens[this.#at - 1]!.place.end
    return { start, end: Math.max(start, end) }
  }

  describe(token: Token = this.token): string {
    return nameOf(token, this.text)
  }

  report(message: string, place: Place = this.token.place): void {
    if (this.problems.length < problemsMax) this.problems.push({ message, place })
  }

  fail(message: string, place?: Place): never {
    this.report(message, place)
    throw new ParseStop()
  }

  /** Runs `read` one level deeper. */
  nested<Result>(read: () => Result): Result {
    if (++this.#depth > depthMax) this.#giveUp(`the query is nested more than ${depthMax} levels deep`)
    const result = read()
    this.#depth--
    return result
  }

  countOperator(): void {
    if (++this.#operators > operatorsMax) {
      this.#giveUp(`the query has more than ${operatorsMax} operators and stages; ask for less at once`)
    }
  }

  /**
   * Runs `read`. When it fails, moves to the next of these symbols (or to the end) and returns `undefined`. Symbols
   * inside brackets that open on the way do not count.
   */
  recover<Result>(symbols: readonly string[], read: () => Result): Result | undefined {
    const depth = this.#depth
    try {
      return read()
    } catch (stop) {
      if (!(stop instanceof ParseStop)) throw stop
      this.#depth = depth
      this.#skipTo(symbols)
      return undefined
    }
  }

  #skipTo(symbols: readonly string[]): void {
    let open = 0
    for (; this.token.kind !== 'end'; this.#at++) {
      const { token } = this
      if (token.kind !== 'symbol') continue
      if (open === 0 && symbols.includes(token.text)) return
      if (token.text === '(' || token.text === '{') open++
      else if (open > 0 && (token.text === ')' || token.text === '}')) open--
    }
  }

  #giveUp(message: string): never {
    this.report(message)
    this.#at = this.#tokens.length - 1
    throw new ParseStop()
  }
}
