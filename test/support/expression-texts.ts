/**
 * Texts that keep a regular expression busy. A text that the expression matches is sampled from its source; then each
 * short piece of it is repeated many times, with a character behind it that matches nothing. An expression that tries
 * every start, or every split of a run between two parts, needs quadratic time for one of these texts.
 */

type Sample = (pick: () => number) => string

/** Reads the source of an expression (ECMA-262 §22.2.1), as far as clew's own expressions go. */
class Source {
  #at = 0
  readonly #source: string

  constructor(source: string) {
    this.#source = source
  }

  alternatives(): Sample {
    const all: Sample[] = [this.#sequence()]
    while (this.#source[this.#at] === '|') {
      this.#at++
      all.push(this.#sequence())
    }
    return (pick) => all[Math.floor(pick() * all.length)]!(pick)
  }

  #sequence(): Sample {
    const parts: Sample[] = []
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at]!)) parts.push(this.#repeated())
    return (pick) => parts.map((part) => part(pick)).join('')
  }

  #repeated(): Sample {
    const atom = this.#atom()
    const [least, most] = this.#quantifier()
    return (pick) => Array.from({ length: least + Math.round(pick() * (most - least)) }, () => atom(pick)).join('')
  }

  #quantifier(): [number, number] {
    const match = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(this.#source.slice(this.#at))
    if (match === null) return [1, 1]
    this.#at += match[0].length
    if (match[1] !== undefined) return match[1] === '*' ? [0, 2] : match[1] === '+' ? [1, 2] : [0, 1]
    const least = Number(match[2])
    return [least, match[3] === '' ? least : Math.min(least + 2, Number(match[4] === '' ? least + 2 : match[4]))]
  }

  #atom(): Sample {
    const char = this.#source[this.#at++]!
    if (char === '(') return this.#group()
    if (char === '[') return this.#class()
    if (char === '.') return () => 'x'
    if (char === '^' || char === '$') return () => ''
    if (char === '\\') return this.#escape()
    return () => char
  }

  #group(): Sample {
    const mark = /^\?(?:[:=!]|<[=!]|<\w+>)/.exec(this.#source.slice(this.#at))?.[0] ?? ''
    this.#at += mark.length
    const inner = this.alternatives()
    this.#at++
    // What only looks ahead or back takes no text.
    return /[=!]$/.test(mark) ? () => '' : inner
  }

  #class(): Sample {
    let end = this.#at
    while (this.#source[end] !== ']') end += this.#source[end] === '\\' ? 2 : 1
    const members = new RegExp(`[${this.#source.slice(this.#at, end)}]`)
    this.#at = end + 1
    const fitting = candidates.filter((char) => members.test(char))
    return (pick) => fitting[Math.floor(pick() * fitting.length)] ?? ''
  }

  #escape(): Sample {
    const form = /^(?:x[0-9a-f]{2}|u[0-9a-f]{4}|.)/i.exec(this.#source.slice(this.#at))![0]
    this.#at += form.length
    if (form === 'b' || form === 'B') return () => ''
    const members = new RegExp(`\\${form}`)
    const fitting = form.length === 1 ? candidates.filter((char) => members.test(char)).slice(0, 8) : []
    return fitting.length > 0
      ? (pick) => fitting[Math.floor(pick() * fitting.length)]!
      : () => String.fromCharCode(Number.parseInt(form.slice(1), 16))
  }
}

const candidates = Array.from(' \n\r\ta0Zz1fT"\'\\/-_.:;=,()[]{}<>|@#%$*+~^!?\x1b\ufeff')

const samplesOfEach = 4
const sampleCharsMax = 160
/** Longest piece that is repeated. */
const pieceCharsMax = 2

/** `chars`: length of each text. `pick` gives numbers from 0 to below 1. */
export function* busyTexts(source: string, chars: number, pick: () => number): Generator<string> {
  const sample = new Source(source).alternatives()
  const pieces = new Set<string>()
  for (let n = 0; n < samplesOfEach; n++) {
    const text = sample(pick).slice(0, sampleCharsMax)
    for (let from = 0; from < text.length; from++) {
      for (let length = 1; length <= pieceCharsMax && from + length <= text.length; length++) {
        const piece = text.slice(from, from + length)
        const key = `${text.slice(0, from)}\0${piece}`
        if (pieces.has(key)) continue
        pieces.add(key)
        const end = '\x01\n\x01'
        yield text.slice(0, from) + piece.repeat(chars / length) + end
      }
      // The beginning again and again: a start in each place.
      const begin = text.slice(0, from + 1)
      if (!pieces.has(begin)) yield begin.repeat(chars / begin.length) + '\x01'
      pieces.add(begin)
    }
  }
}
