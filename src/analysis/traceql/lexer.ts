/**
 * Text -> tokens, in one pass. It reports and skips what it cannot read, so that the parser can go on.
 *
 *     attribute = [ "parent." ] ( "." | scope "." ) part { "." part }      part = run | quoted
 *     run       = characters up to a space or one of {}()=~!<>&|^,         so .a-b is one attribute, .a - b is not
 *     quoted    = '"' characters '"', where \" and \\ are a quote and a backslash
 *     word      = letter { letter | digit } [ ":" letter { letter | digit } ]
 *     text      = '"' characters with escapes '"' | "`" characters "`"
 *     comment   = "//" up to the end of the line | "/*" … "*\/"
 *
 * Numbers and durations are in number-text.ts.
 */
import { suggestion } from './intrinsics.ts'
import { readNumber } from './number-text.ts'
import type { Problem } from './problem.ts'
import type { AttributeScope } from './syntax.ts'
import type { Token, TokenContent } from './token.ts'

/** Longest first, so that the first match is the right one. */
const symbols = [
  '&>> &<< !>> !<< && || &> &< &~ !> !< !~ != =~ >= <= >> <<'.split(' '),
  '= < > ~ ! | + - * / % ^ ( ) { } ,'.split(' '),
].flat()

/** What people who know other languages write, how it is read, and the message. */
const mistaken: readonly (readonly [string, string, string])[] = [
  ['===', '=', '`=` compares'],
  ['==', '=', '`=` compares'],
  ['<>', '!=', '`!=` is "not equal"'],
  ['=>', '>=', '`>=` is "at least"'],
  ['=<', '<=', '`<=` is "at most"'],
  ['&', '&&', '`&&` joins two conditions'],
  [';', '|', 'a query is one pipeline; its stages are joined with `|`'],
]

const attributeScopes = ['span', 'resource', 'event', 'link', 'instrumentation'] as const
const scopeNames: readonly string[] = [...attributeScopes, 'parent']

const space = /\s+|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y
const word = /[A-Za-z_]\w*/y
const scopedWord = /:[A-Za-z_]\w*/y
const run = /[^\s{}()=~!<>&|^,"]+/y

export function lex(text: string): { readonly tokens: readonly Token[]; readonly problems: readonly Problem[] } {
  const lexer = new Lexer(text)
  lexer.readAll()
  return lexer
}

class Lexer {
  readonly tokens: Token[] = []
  readonly problems: Problem[] = []
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  readAll(): void {
    for (;;) {
      while (this.#match(space) !== '');
      if (this.#at >= this.#text.length) break
      this.#next()
    }
    this.#add(this.#at, { kind: 'end' })
  }

  #next(): void {
    const start = this.#at
    const char = this.#text[start]!
    if (char === '"' || char === '`') return this.#readText(char)
    if (char === "'") return this.#readSingleQuoted()
    if (/[0-9]/.test(char) || (char === '.' && /[0-9]/.test(this.#text[start + 1] ?? ''))) return this.#readDigits()
    if (char === '.') return this.#readAttribute(start, 'nearest', false)
    const name = this.#match(word)
    if (name !== '') return this.#readWord(start, name)
    for (const [wrong, meant, right] of mistaken) {
      if (!this.#text.startsWith(wrong, start) || (wrong === '&' && isSymbolAt(this.#text, start))) continue
      this.#at += wrong.length
      this.#report(start, `\`${wrong}\` is not an operator: ${right}`)
      return this.#add(start, { kind: 'symbol', text: meant })
    }
    const symbol = symbols.find((each) => this.#text.startsWith(each, start))
    if (symbol !== undefined) {
      this.#at += symbol.length
      return this.#add(start, { kind: 'symbol', text: symbol })
    }
    this.#at += String.fromCodePoint(this.#text.codePointAt(start)!).length
    this.#report(start, `unexpected character \`${this.#text.slice(start, this.#at)}\``)
  }

  #readWord(start: number, name: string): void {
    if (this.#text[this.#at] === '.') return this.#readScoped(start, name)
    const scoped = this.#match(scopedWord)
    this.#add(start, { kind: 'word', text: name + scoped })
  }

  #readScoped(start: number, name: string): void {
    if (name === 'parent') {
      this.#at++
      const scope = this.#match(/(?:span|resource)\./y).slice(0, -1)
      this.#at--
      return this.#readAttribute(start, scope === '' ? 'nearest' : (scope as AttributeScope), true)
    }
    if (scopeNames.includes(name)) return this.#readAttribute(start, name as AttributeScope, false)
    const key = name + this.#match(run)
    const near = suggestion(name, scopeNames)
    const right = near === '' ? `; write \`.${key}\`, \`span.${key}\` or \`resource.${key}\`` : near
    this.#report(start, `\`${name}.\` is not a scope${right}`)
    this.#add(start, { kind: 'attribute', scope: 'nearest', key, ofParent: false })
  }

  /** Reads on from the dot before the first part. */
  #readAttribute(start: number, scope: AttributeScope, ofParent: boolean): void {
    let key = ''
    let partStart = ++this.#at
    for (;;) {
      const plain = this.#match(run)
      key += plain
      if (this.#text[this.#at] !== '"') break
      if (plain !== '' && !plain.endsWith('.')) {
        this.#report(this.#at, 'a quoted part of an attribute starts after a dot, as in `span."a b".c`')
        this.#at++
        break
      }
      partStart = this.#at
      const quoted = /"((?:[^"\\]|\\["\\])*)"/y
      const part = this.#match(quoted)
      if (part === '') {
        this.#at = this.#text.length
        key = '?'
        this.#report(partStart, 'a quoted part needs a closing `"`, and only `\\"` and `\\\\` are escapes in it')
        break
      }
      key += part.slice(1, -1).replace(/\\(["\\])/g, '$1')
      if (this.#text[this.#at] !== '.') break
    }
    if (key === '') this.#report(start, 'the name of the attribute is missing after the dot')
    this.#add(start, { kind: 'attribute', scope, key, ofParent })
  }

  #readDigits(): void {
    const start = this.#at
    const { chars, value, problem } = readNumber(this.#text, start)
    this.#at += chars
    if (problem !== undefined) this.#report(start, problem)
    this.#add(start, { kind: 'literal', value })
  }

  #readText(quote: '"' | '`'): void {
    const start = this.#at
    const closed = quote === '"' ? /"((?:[^"\\\n]|\\[^\n])*)"/y : /`([^`]*)`/y
    const match = this.#match(closed)
    if (match === '') {
      const lineEnd = this.#text.indexOf('\n', start)
      this.#at = lineEnd < 0 || quote === '`' ? this.#text.length : lineEnd
      this.#report(start, `the text has no closing ${quote === '"' ? '`"`' : 'backtick'}`)
      return this.#addText(start, '')
    }
    const inner = match.slice(1, -1)
    this.#addText(start, quote === '"' ? this.#unescape(inner, start + 1) : inner)
  }

  #readSingleQuoted(): void {
    const start = this.#at
    const match = this.#match(/'([^'\n]*)'?/y)
    const inner = match.replaceAll("'", '')
    this.#report(start, `a text is in double quotes: write "${inner}"`)
    this.#addText(start, inner)
  }

  #unescape(inner: string, start: number): string {
    return inner.replace(escape, (found: string, at: number) => {
      const value = escaped(found)
      if (value !== undefined) return value
      const place = { start: start + at, end: start + at + found.length }
      const message = `\`${found}\` is not an escape; write \`\\${found}\` for a backslash, or put the text in backticks`
      this.problems.push({ message, place })
      return found
    })
  }

  #addText(start: number, value: string): void {
    this.#add(start, { kind: 'literal', value: { kind: 'value', type: 'string', value } })
  }

  /** Skips and returns what the pattern matches here; '' when it does not match. */
  #match(sticky: RegExp): string {
    sticky.lastIndex = this.#at
    const found = sticky.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #add(start: number, content: TokenContent): void {
    this.tokens.push({ ...content, place: { start, end: this.#at } })
  }

  #report(start: number, message: string): void {
    this.problems.push({ message, place: { start, end: Math.max(this.#at, start + 1) } })
  }
}

function isSymbolAt(text: string, at: number): boolean {
  return /&[&<>~]/y.test(text.slice(at, at + 2))
}

/** Escapes as in Go. */
const escape = /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[\s\S])/g
const named: Readonly<Record<string, string>> = {
  '\\n': '\n',
  '\\r': '\r',
  '\\t': '\t',
  '\\a': '\x07',
  '\\b': '\b',
  '\\f': '\f',
  '\\v': '\v',
  '\\\\': '\\',
  '\\"': '"',
}

function escaped(found: string): string | undefined {
  if (found in named) return named[found]
  const code = /^\\[xuU]/.test(found) ? parseInt(found.slice(2), 16) : parseInt(found.slice(1), 8)
  return found.length > 2 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}
