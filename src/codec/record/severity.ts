/**
 * Severities by the names and numbers programs use, as OTLP severity numbers. Syslog levels (RFC 5424 §6.2.1) have
 * their own scale, where smaller is worse.
 */
import { severityNames } from '../../model/severity.ts'

/** `undefined` for a word that names no severity. */
export function severityOfName(name: string): number | undefined {
  const word = bareWord(name).toLowerCase()
  if (/^\d+$/.test(word)) return severityOfNumber(Number(word))
  // Go's slog names a level between two names by its distance: INFO+2, DEBUG-4.
  const near = /^(debug|info|warn|error)([+-]\d{1,2})$/.exec(word)
  if (near !== null) return Math.min(24, Math.max(1, severityNames.get(near[1]!)! + Number(near[2])))
  return severityNames.get(word)
}

/** Loggers for terminals colour the word; some put it in brackets or add a colon. */
function bareWord(text: string): string {
  if (/^[\w+-]+$/.test(text)) return text
  // eslint-disable-next-line no-control-regex
  const plain = text.replaceAll(/\x1b\[[\d;]*m/g, '')
  return plain.replace(/^[\s[(<]+/, '').replace(/(?<![\s\])>:])[\s\])>:]+$/, '')
}

/** No text that names a severity is longer. */
export const severityCharsMax = 32

/** 0 for a text that names none. */
export function numberOfSeverity(text: string): number {
  return text.length > severityCharsMax ? 0 : (severityOfName(text) ?? 0)
}

export const syslogSeverities = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const

/** Number of a syslog level, 0 emerg … 7 debug. */
export function severityOfSyslog(level: number): number {
  return [21, 19, 18, 17, 13, 10, 9, 5][level] ?? 0
}

/** A level given as a number: syslog's 0-7, or the steps of ten of pino and bunyan (10 trace … 60 fatal). */
export function severityOfNumber(level: number): number | undefined {
  if (Number.isInteger(level) && level >= 0 && level <= 7) return severityOfSyslog(level)
  return ({ 10: 1, 20: 5, 30: 9, 40: 13, 50: 17, 60: 21 } as Record<number, number>)[level]
}
