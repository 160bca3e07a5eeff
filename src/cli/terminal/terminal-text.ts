/** Text on a terminal: measures its width, and keeps text from outside from controlling the terminal. */
import stringWidth from 'string-width'

/** Width to draw in: the terminal's, else `COLUMNS`, else one that fits mails and tickets. */
export function terminalWidth(): number {
  const width = process.stdout.columns ?? Number(process.env.COLUMNS ?? 100)
  return Number.isInteger(width) && width >= 40 ? Math.min(width, 400) : 100
}

/**
 * Names and bodies come from outside: control characters (escape sequences that recolour, move, or type into the
 * terminal) and characters that reorder text are shown as their code.
 */
export function clean(text: string): string {
  // eslint-disable-next-line no-control-regex -- finding control characters is the purpose
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    if (character === '\n') return '⏎'
    if (character === '\t') return ' '
    return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`
  })
}

/** Cuts to at most `width` columns, and ends a cut text with `…`. */
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
