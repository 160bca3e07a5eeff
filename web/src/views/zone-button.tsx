import { printZone } from '../model/time.ts'
import { nextZone, zone } from '../state/settings.ts'

/** Shows the zone of all times on the page; a click changes it. */
export function ZoneButton({ atMs }: { atMs: number }) {
  const other = zone.value === 'local' ? 'UTC' : 'local time'
  return (
    <button class="button zone" title={`Show times in ${other} (u)`} onClick={nextZone}>
      {printZone(atMs, zone.value)}
    </button>
  )
}
