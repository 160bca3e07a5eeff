/**
 * Warnings for a sender about rows that were stored. They are sent in OTLP's partial success. `clew import` reads them
 * and adds them up over many requests.
 *   warnings = warning *( "; " warning )      warning = count " " what [ ": " detail ]
 */

export interface RowWarnings {
  /** Rows that are older than the retention: they are removed within minutes. */
  readonly beforeRetention: number
  /** Rows whose time is more than minutes after now. */
  readonly ahead: number
  /** Values that are not stored as they were sent. */
  readonly repaired: number
}

const whats: Readonly<Record<keyof RowWarnings, string>> = {
  beforeRetention: 'rows have times before the retention and are removed within minutes',
  ahead: 'rows have times in the future',
  repaired: 'values are not stored as they were sent',
}

/** '' when there are no warnings. `details` names an example of each kind, or says where to look. */
export function printRowWarnings(
  warnings: RowWarnings,
  details: Readonly<Partial<Record<keyof RowWarnings, string>>> = {},
): string {
  const parts = (Object.keys(whats) as (keyof RowWarnings)[]).flatMap((kind) => {
    const detail = details[kind] ?? ''
    return warnings[kind] === 0 ? [] : `${warnings[kind]} ${whats[kind]}${detail === '' ? '' : `: ${detail}`}`
  })
  return parts.join('; ')
}

/** The counts in a message that holds such warnings, perhaps after other text; all 0 for any other message. */
export function parseRowWarnings(text: string): RowWarnings {
  const count = (what: string): number => Number(new RegExp(`(?:^|; )(\\d{1,15}) ${what}`).exec(text)?.[1] ?? 0)
  return { beforeRetention: count(whats.beforeRetention), ahead: count(whats.ahead), repaired: count(whats.repaired) }
}
