/** Text on a terminal: how wide it is, and that what came from outside cannot steer the terminal. */
import stringWidth from 'string-width'

/** Columns to draw in: the terminal's, else `COLUMNS`, else a width that fits mails and tickets. */
export function terminalWidth(): number {
  const width = process.stdout.columns ?? Number(process.env.COLUMNS ?? 100)
  return Number.isInteger(width) && width >= 40 ? Math.min(width, 400) : 100
}

// eslint-disable-next-line no-control-regex -- control characters are what this is about
const steering = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/**
 * Names and bodies come from outside: control characters (escape sequences that recolour, move, or type into the terminal)
 * and characters that reorder text are shown as their code.
 */
export function clean(text: string): string {
  return text.replaceAll(steering, (character) => {
    if (character === '\n') return '⏎'
    if (character === '\t') return ' '
    return codeOf(character)
  })
}

/**
 * The same for JSON text, which stays JSON of the same values: U+009B, which begins an escape sequence, becomes `\u009b`.
 * JSON itself has codes only for the controls below U+0020. The line breaks that are left stand between values, and stay.
 */
export function cleanJson(json: string): string {
  return json.replaceAll(steering, (character) => (/[\n\r\t]/.test(character) ? character : codeOf(character)))
}

function codeOf(character: string): string {
  return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`
}

/** Cuts to at most `width` columns, with `…` where something is missing. */
export function fit(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  let kept = ''
  let used = 0
  for (const character of text) {
    used += stringWidth(character)
    if (used > width - 1) break
    kept += character
  }
  return width <= 0 ? '' : kept + '…'
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)))
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - stringWidth(text))) + text
}
