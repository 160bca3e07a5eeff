import { useEffect } from 'preact/hooks'
import { exploreProblems } from '../../model/search-filters.ts'
import {
  canShowMore,
  change,
  emptyStore,
  exploreRange,
  exploreState,
  exploreUrl,
  facets,
  overview,
  page,
  run,
  shareExplore,
} from '../../state/explore.ts'
import { facetsOpen, usePageKeys } from '../../state/keys.ts'
import { go, place } from '../../state/location.ts'
import { Icon } from '../icons.tsx'
import { Failed, LoadingLine, Skeleton } from '../loading.tsx'
import { ZoneButton } from '../zone-button.tsx'
import { BoxBar } from './box-bar.tsx'
import { CountLine } from './count-line.tsx'
import { FacetList } from './facet-list.tsx'
import { HeatMap } from './heat-map-view.tsx'
import { EmptyStore, NothingFound } from './nothing.tsx'
import { QueryBar } from './query-bar.tsx'
import { RangePicker } from './range-picker.tsx'
import { moveRowFocus } from './row-keys.ts'
import { TraceTable } from './trace-table.tsx'

const keys = {
  title: 'Explore',
  bindings: [
    { keys: ['r'], label: 'r', does: 'run again', act: () => void run({ force: true }) },
    { keys: ['x'], label: 'x', does: 'remove the box', act: () => change({ box: undefined }) },
    { keys: ['ArrowDown', 'j'], label: '↓', does: 'trace below, Enter opens it', act: () => moveRowFocus(1) },
    { keys: ['ArrowUp', 'k'], label: '↑', does: 'trace above', act: () => moveRowFocus(-1) },
    { keys: ['y'], label: 'y', does: 'copy a link with these times', act: shareExplore },
  ],
}

export function ExplorePage() {
  useEffect(() => usePageKeys(keys), [])
  return (
    <div class="explore">
      <header class="top-bar">
        <QueryBar />
        <button class="button primary" title="Run again (r)" onClick={() => void run({ force: true })}>
          Run
        </button>
        <RangePicker />
        <ZoneButton atMs={exploreRange.value.toMs} />
        <button
          class="button icon-only"
          title="Copy a link with these times (y)"
          aria-label="Share"
          onClick={shareExplore}
        >
          <Icon name="link" />
        </button>
      </header>
      <Ignored />
      <Results />
    </div>
  )
}

/** Parts of the address that could not be understood; the message disappears with the next step. */
function Ignored() {
  const problems = exploreProblems(new URLSearchParams(place.value.search))
  if (problems.length === 0) return null
  return (
    <div class="ignored" role="alert">
      <span class="warning-text">Left out of the address:</span>
      <span>{problems.join('; ')}</span>
      <button class="button small" onClick={() => go(exploreUrl(exploreState.value), { replace: true })}>
        Dismiss
      </button>
    </div>
  )
}

function Results() {
  const { value, error, since } = page.state.value
  const figures = overview.state.value
  if (emptyStore.value) return <EmptyStore status={emptyStore.value} />
  const retry = (): void => void run({ force: true })
  const isNothing = value !== undefined && value.total === 0 && exploreState.value.box === undefined
  return (
    <>
      <LoadingLine
        since={Math.max(since, figures.since)}
        onCancel={() => (page.cancel(), overview.cancel(), facets.cancel())}
      />
      {error && <Failed error={error} onRetry={retry} />}
      {!error && figures.error && <Failed error={figures.error} onRetry={retry} />}
      {value === undefined ? (
        <Skeleton since={since} rows={20} height={28} />
      ) : (
        <>
          <CountLine />
          {isNothing ? (
            !error && <NothingFound />
          ) : (
            <>
              <HeatMap />
              <BoxBar />
              <div class={facetsOpen.value ? 'results facets-open' : 'results'}>
                <FacetList />
                <TraceTable page={value} canShowMore={canShowMore(value)} />
              </div>
            </>
          )}
        </>
      )}
    </>
  )
}
