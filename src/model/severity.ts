/** Severities by the names that programs use, as OTLP severity numbers (logs data model, appendix B; 0 is unknown). */

const words: Readonly<Record<string, number>> = {
  trace: 1,
  trce: 1,
  verbose: 1,
  vrb: 1,
  finest: 1,
  finer: 3,
  fine: 5,
  debug: 5,
  dbug: 5,
  dbg: 5,
  config: 8,
  info: 9,
  inf: 9,
  information: 9,
  informational: 9,
  success: 9,
  notice: 10,
  warn: 13,
  warning: 13,
  wrn: 13,
  error: 17,
  err: 17,
  eror: 17,
  fail: 17,
  severe: 17,
  crit: 18,
  alert: 19,
  emerg: 21,
  emergency: 21,
  critical: 21,
  fatal: 21,
  ftl: 21,
  panic: 21,
  t: 1,
  v: 1,
  d: 5,
  i: 9,
  n: 10,
  w: 13,
  e: 17,
  f: 21,
  c: 21,
}

/** Lower-case name to number. The four steps of each OTLP range may carry a digit: info2, error4. */
export const severityNames: ReadonlyMap<string, number> = new Map([
  ...Object.entries(words),
  ...['trace', 'debug', 'info', 'warn', 'error', 'fatal'].flatMap((name) =>
    [2, 3, 4].map((step): [string, number] => [`${name}${step}`, words[name]! + step - 1]),
  ),
])

/** The severity from 1 to 24 of an event whose sender gave a number, a text or both; 0 when neither is a severity. */
export function severityOf(number: number, text: string): number {
  return number === 0 ? (severityNames.get(text.toLowerCase()) ?? 0) : number
}
