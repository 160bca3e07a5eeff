import { printDuration, printPlural } from '../../model/format.ts'
import { printClock, printRfc3339, printZone } from '../../model/time.ts'
import { change, exploreState, page } from '../../state/explore.ts'
import { zone } from '../../state/settings.ts'

/** The content of the box on the map, and actions for it. */
export function BoxBar() {
  const { box } = exploreState.value
  if (!box) return null
  const found = page.state.value.value
  const range = { from: printRfc3339(box.fromMs), to: printRfc3339(box.toMs) }
  return (
    <div class="box-bar">
      <strong>Box: {found ? printPlural(found.total, 'trace') : ''}</strong>
      <span class="muted">
        {printClock(box.fromMs, box.fromMs, zone.value)} – {printClock(box.toMs, box.fromMs, zone.value)}{' '}
        {printZone(box.fromMs, zone.value)}, {printDuration(box.minNano)} – {printDuration(box.maxNano)}
      </span>
      <button
        class="button small"
        title="Make the box's time the range"
        onClick={() => change({ range, box: undefined })}
      >
        Zoom
      </button>
      <button class="button small" title="Remove the box (x)" onClick={() => change({ box: undefined })}>
        Clear
      </button>
    </div>
  )
}
