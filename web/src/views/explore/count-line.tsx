import { printDuration, printPlural, printShare } from '../../model/format.ts'
import { rangeOfData } from '../../model/heat-grid.ts'
import { printClock, printRfc3339 } from '../../model/time.ts'
import { change, exploreState, overview } from '../../state/explore.ts'
import { facetsOpen } from '../../state/keys.ts'
import { zone } from '../../state/settings.ts'
import { Icon } from '../icons.tsx'

/** The result in one line: how many traces, how many failed, how long they took. */
export function CountLine() {
  const answer = overview.state.value.value
  if (!answer) return <div class="count-line">&nbsp;</div>
  const { total, errorTraces, p50Nano, p99Nano } = answer
  const offered = exploreState.value.box === undefined ? rangeOfData(answer) : undefined
  return (
    <div class="count-line">
      <span class="figure">{printPlural(total, 'trace')}</span>
      {total > 0 && (
        <>
          <span
            class={errorTraces > 0 ? 'figure error-text' : 'figure'}
            title={printPlural(errorTraces, 'trace') + ' with an error'}
          >
            {errorTraces > 0 && '! '}
            {printShare(errorTraces, total)} <small>errors</small>
          </span>
          <span class="figure">
            <small>p50</small> {p50Nano === null ? '-' : printDuration(Number(p50Nano))}
          </span>
          <span class="figure">
            <small>p99</small> {p99Nano === null ? '-' : printDuration(Number(p99Nano))}
          </span>
          <span class="spring" />
          {offered && (
            <button
              class="button small"
              title="All of these traces are in a small part of the range"
              onClick={() => change({ range: { from: printRfc3339(offered.fromMs), to: printRfc3339(offered.toMs) } })}
            >
              Show {printClock(offered.fromMs, offered.toMs, zone.value).slice(0, -4)} –{' '}
              {printClock(offered.toMs, offered.toMs, zone.value).slice(0, -4)}
            </button>
          )}
          <button
            class="button small facets-button"
            aria-expanded={facetsOpen.value}
            onClick={() => (facetsOpen.value = !facetsOpen.value)}
          >
            <Icon name="filter" /> Facets
          </button>
        </>
      )}
    </div>
  )
}
