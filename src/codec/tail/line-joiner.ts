/**
 * Decides for each line, in order, whether it continues the previous event. The rules know these forms of stack traces:
 *
 *   Python   `Traceback (most recent call last):`, indented frames, then one line with the exception; chained ones after
 *            `During handling of …` or `The above exception was …`
 *   Java     `pkg.SomeException: …` under a log line, indented frames, `Caused by: `, `Suppressed: `, `... 12 more`
 *   Go       after `panic: ` or `fatal error: `: `goroutine 1 [running]:`, `main.f(…)`, `created by …`
 *   others   indentation, a closing bracket alone
 */
import type { JoinRule } from './tail-format.ts'

export interface LineJoiner {
  /** Forgets the previous event; `line` is the first of a new one. */
  begin(line: string): void
  /** Whether `line` (without its line end, at most `classifiedCharsMax` of it) continues the event. */
  continues(line: string): boolean
}

/** Rules look at this many characters of a line. */
export const classifiedCharsMax = 2048

/** `undefined` when no line ever continues another. Throws `SyntaxError` for an invalid regular expression. */
export function makeJoiner(rule: JoinRule): LineJoiner | undefined {
  if (rule === 'off') return undefined
  if (rule === 'auto') return new StackJoiner()
  if (rule === 'indent') return { begin: () => {}, continues: (line) => line === '' || isIndented(line) }
  const start = new RegExp(rule.start, 'u')
  return { begin: () => {}, continues: (line) => !start.test(line) }
}

function isIndented(line: string): boolean {
  return line.startsWith(' ') || line.startsWith('\t')
}

const pythonHead = 'Traceback (most recent call last):'
const pythonChain = /^(During handling of the above exception, another|The above exception was the direct cause)/
const java =
  /^(Caused by: |Suppressed: |\.\.\. \d+ (more|common frames)|at \S[^\s(]*\(.*\)$|([\w$]+\.)+[\w$]*(Exception|Error|Throwable)(:|$))/
const goStart = /^(panic: |fatal error: |goroutine \d+ \[)/
const go = /^(goroutine \d+ \[|created by |\[signal |exit status \d|[^\s:][^\s:(]*\(.*\)$)/
const closing = /^[)}\]]+[,;]?$/

/** Which part of a trace the last line was. */
type Place = 'text' | 'python frames' | 'python end' | 'python chain' | 'go'

class StackJoiner implements LineJoiner {
  #place: Place = 'text'

  begin(line: string): void {
    this.#place = line.startsWith(pythonHead) ? 'python frames' : goStart.test(line) ? 'go' : 'text'
  }

  continues(line: string): boolean {
    // Empty lines at the end of an event are removed from its text, so they can always belong to the previous event.
    if (line === '' || isIndented(line)) return true
    switch (this.#place) {
      case 'python frames':
        this.#place = 'python end'
        return true
      case 'python end':
        if (!pythonChain.test(line)) break
        this.#place = 'python chain'
        return true
      case 'python chain':
        this.#place = line.startsWith(pythonHead) ? 'python frames' : 'text'
        return this.#place === 'python frames'
      case 'go':
        if (go.test(line)) return true
        break
      default:
        if (!line.startsWith(pythonHead)) break
        this.#place = 'python frames'
        return true
    }
    return closing.test(line) || java.test(line)
  }
}
