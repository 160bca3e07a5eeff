import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { TraceSummary } from '../../../../src/api/native/contract.ts'
import { slotOf } from '../../../../src/base/name-slots.ts'
import { printCount, printDuration, printPlural, printTotal } from '../../model/format.ts'
import type { SortBy } from '../../model/search-filters.ts'
import { printAgo, printClock, printTime, printZone } from '../../model/time.ts'
import {
  change,
  exploreRange,
  exploreState,
  exploreUrl,
  page as pageLoader,
  pointed,
  scrollTop,
  showMore,
} from '../../state/explore.ts'
import type { Page } from '../../state/explore.ts'
import { followLink } from '../../state/location.ts'
import { zone } from '../../state/settings.ts'
import { tracePath } from '../../state/trace-url.ts'
import { Icon } from '../icons.tsx'

export const rowHeight = 28
const spare = 6

/** Virtual: only the rows in view, and a few more, are in the document. */
export function TraceTable({ page, canShowMore }: { page: Page; canShowMore: boolean }) {
  const scroller = useRef<HTMLDivElement>(null)
  const [height, setHeight] = useState(600)
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setHeight(entry!.contentRect.height))
    observer.observe(scroller.current!)
    return () => observer.disconnect()
  }, [])
  const top = scrollTop.value
  useLayoutEffect(() => {
    const element = scroller.current!
    if (Math.abs(element.scrollTop - scrollTop.peek()) > 1) element.scrollTop = scrollTop.peek()
  }, [page, top])
  const first = Math.max(0, Math.floor(top / rowHeight) - spare)
  const last = Math.min(page.traces.length, Math.ceil((top + height) / rowHeight) + spare)
  const longest = page.traces.reduce((most, { durationNano }) => Math.max(most, Number(durationNano)), 1)
  const results = {
    url: exploreUrl(exploreState.value),
    traceIds: page.traces.map(({ traceId }) => traceId),
    total: page.total,
  }
  return (
    <div class="trace-table" role="table" aria-label="Traces" aria-rowcount={page.total + 1}>
      <Head />
      <div
        class="trace-rows"
        ref={scroller}
        role="rowgroup"
        onScroll={({ currentTarget }) => (scrollTop.value = currentTarget.scrollTop)}
      >
        <div style={{ height: `${page.traces.length * rowHeight}px`, position: 'relative' }}>
          {page.traces.slice(first, last).map((trace, i) => (
            <Row
              key={trace.traceId}
              trace={trace}
              top={(first + i) * rowHeight}
              index={first + i}
              longest={longest}
              results={results}
            />
          ))}
        </div>
        <Foot page={page} canShowMore={canShowMore} />
      </div>
    </div>
  )
}

function Head() {
  const { sort } = exploreState.value
  const column = (by: SortBy, label: string, className: string) => (
    <span role="columnheader" class={className} aria-sort={sort === by ? 'descending' : undefined}>
      <button
        title={by === 'time' ? 'Newest first' : `Most ${label.toLowerCase()} first`}
        onClick={() => change({ sort: by })}
      >
        {label}
        {sort === by && <Icon name="down" />}
      </button>
    </span>
  )
  return (
    <div class="trace-row head" role="row">
      {column('time', `Time ${printZone(exploreRange.value.toMs, zone.value)}`, '')}
      <span role="columnheader">Root</span>
      <span role="columnheader">Services</span>
      {column('duration', 'Duration', 'number')}
      <span role="presentation" />
      {column('spans', 'Spans', 'number')}
      {column('errors', 'Errors', 'number')}
    </div>
  )
}

interface RowProps {
  readonly trace: TraceSummary
  readonly top: number
  readonly index: number
  readonly longest: number
  readonly results: { readonly url: string; readonly traceIds: readonly string[]; readonly total: number }
}

function Row({ trace, top, index, longest, results }: RowProps) {
  const ms = Date.parse(trace.startTime)
  const url = tracePath(trace.traceId)
  const nanos = Number(trace.durationNano)
  return (
    <div
      class={pointed.value === trace.traceId ? 'trace-row pointed' : 'trace-row'}
      role="row"
      aria-rowindex={index + 2}
      style={{ top: `${top}px` }}
      onPointerEnter={() => (pointed.value = trace.traceId)}
      onPointerLeave={() => (pointed.value = '')}
      onFocusIn={() => (pointed.value = trace.traceId)}
      onFocusOut={() => (pointed.value = '')}
    >
      <span role="cell" class="mono-figures" title={`${printTime(ms, zone.value)}, ${printAgo(ms, Date.now())}`}>
        {printClock(ms, exploreRange.value.toMs, zone.value)}
      </span>
      <span role="cell" class="root" title={`${trace.rootService} ${trace.rootName}`}>
        {trace.errorCount > 0 ? <b class="error-text">!</b> : <b />}
        <a href={url} onClick={(event) => followLink(event, url, { results })}>
          {trace.rootName === '' && trace.rootService === '' ? (
            <em class="muted">root not received</em>
          ) : (
            <>
              <Swatch service={trace.rootService} /> <span class="muted">{trace.rootService}</span> {trace.rootName}
            </>
          )}
        </a>
      </span>
      <span
        role="cell"
        class="services"
        title={trace.services.map(({ name, spanCount }) => `${name}: ${printPlural(spanCount, 'span')}`).join('\n')}
      >
        {trace.services.slice(0, 8).map(({ name }) => (
          <Swatch key={name} service={name} />
        ))}
        <span class="muted">{trace.services.length}</span>
      </span>
      <span role="cell" class="number">
        {printDuration(nanos)}
      </span>
      <span role="presentation" class="share">
        <i style={{ width: `${Math.max(1, (nanos / longest) * 100)}%` }} />
      </span>
      <span role="cell" class="number">
        {printCount(trace.spanCount)}
      </span>
      <span role="cell" class={trace.errorCount > 0 ? 'number error-text' : 'number muted'}>
        {trace.errorCount > 0 ? printCount(trace.errorCount) : '-'}
      </span>
    </div>
  )
}

/**
 * The name's own slot, so a service has the same colour on every page of results. Within a trace, clashing services are
 * moved apart.
 */
function Swatch({ service }: { service: string }) {
  return <i class="swatch" style={{ background: `var(--slot-${slotOf(service) + 1})` }} />
}

function Foot({ page, canShowMore }: { page: Page; canShowMore: boolean }) {
  const { traces, total } = page
  return (
    <div class="table-foot">
      <span>
        showing {printTotal(traces.length)} of {printTotal(total)}
      </span>
      {canShowMore && (
        <button class="button small" disabled={pageLoader.state.value.since !== 0} onClick={() => void showMore()}>
          More
        </button>
      )}
      {!canShowMore && traces.length < total && (
        <span class="muted">sorted lists end here; narrow the filter or sort by time to see the rest</span>
      )}
    </div>
  )
}
