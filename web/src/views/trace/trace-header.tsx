import { printDuration, printOffset, printTotal } from '../../model/format.ts'
import { has, nodeFlags } from '../../model/trace.ts'
import { millisOf, printTime } from '../../model/time.ts'
import { apiUrl } from '../../state/api.ts'
import { explorePath } from '../../state/explore.ts'
import { followLink, go, place } from '../../state/location.ts'
import { copy } from '../../state/notice.ts'
import { nextZone, zone } from '../../state/settings.ts'
import { shareLink } from '../../state/trace-keys.ts'
import type { TracePage } from '../../state/trace-page.ts'
import { tracePath } from '../../state/trace-url.ts'
import { Icon } from '../icons.tsx'

export function TraceHeader({ page }: { page: TracePage }) {
  const trace = page.trace.value
  return (
    <header class="trace-header">
      <div class="top-bar">
        <ResultSteps traceId={page.traceId} />
        {trace ? <Title page={page} /> : <h1 class="mono">{page.traceId}</h1>}
        <span class="spring" />
        <button class="button" title="Copy a link to this picture (y)" onClick={() => shareLink()}>
          <Icon name="link" /> Share
        </button>
        <a
          class="button"
          title="Download the trace as OTLP JSON"
          href={apiUrl({ path: '/traces/' + page.traceId })}
          download={`trace-${page.traceId}.json`}
        >
          <Icon name="download" /> OTLP JSON
        </a>
        <button
          class="button icon-only"
          aria-pressed={page.panelOpen.value}
          title="Details panel"
          onClick={() => (page.panelOpen.value = !page.panelOpen.value)}
        >
          <Icon name="panel" />
        </button>
      </div>
      {trace && <Facts page={page} />}
    </header>
  )
}

function ResultSteps({ traceId }: { traceId: string }) {
  const { results } = place.value
  const url = results?.url ?? explorePath
  const at = results?.traceIds.indexOf(traceId) ?? -1
  return (
    <span class="result-steps">
      <a
        class="button"
        href={url}
        title="Back to the results"
        onClick={(event) => followLink(event, url, { results: undefined })}
      >
        <Icon name="left" /> {results ? 'Results' : 'Explore'}
      </a>
      {results && at >= 0 && (
        <>
          <button
            class="icon-button"
            title="Previous result ([)"
            disabled={at === 0}
            onClick={() => go(tracePath(results.traceIds[at - 1]!))}
          >
            <Icon name="up" />
          </button>
          <span class="number">
            {at + 1} of {printTotal(results.traceIds.length)}
          </span>
          <button
            class="icon-button"
            title="Next result (])"
            disabled={at === results.traceIds.length - 1}
            onClick={() => go(tracePath(results.traceIds[at + 1]!))}
          >
            <Icon name="down" />
          </button>
        </>
      )}
    </span>
  )
}

function Title({ page }: { page: TracePage }) {
  const { tree, timing } = page.trace.value!
  const isMissing = has(tree, 0, nodeFlags.missingParent)
  return (
    <>
      <h1>
        {isMissing ? (
          <em class="muted">root not received</em>
        ) : (
          <>
            <span class="muted">{tree.services[tree.service[0]!]}</span> {tree.names[tree.name[0]!]}
          </>
        )}
      </h1>
      <span class="figure">{printDuration(timing.duration)}</span>
      <span class="figure">
        {printTotal(tree.spanCount)} <small>{tree.spanCount === 1 ? 'span' : 'spans'}</small>
      </span>
      {tree.errorCount > 0 ? (
        <button class="figure error-text plain" title="Next error (e)" onClick={() => page.nextError(1)}>
          ! {printTotal(tree.errorCount)} <small>{tree.errorCount === 1 ? 'error' : 'errors'}</small>
        </button>
      ) : (
        <span class="figure muted">
          0 <small>errors</small>
        </span>
      )}
    </>
  )
}

function Facts({ page }: { page: TracePage }) {
  const { tree } = page.trace.value!
  const ms = millisOf(tree.startNano)
  return (
    <div class="facts">
      <button class="plain" title="Change the zone (u)" onClick={nextZone}>
        {printTime(ms, zone.value)}
      </button>
      <span class="mono">
        {page.traceId}
        <button class="icon-button" title="Copy the trace id" onClick={() => void copy(page.traceId, 'Trace id')}>
          <Icon name="copy" />
        </button>
      </span>
      <span class="legend">
        {tree.services.slice(0, 12).map((name, service) => (
          <button
            key={name}
            class="plain"
            title={`Find the spans of ${name}`}
            onClick={() => page.find(`service=${/\s/.test(name) ? `"${name}"` : name}`)}
          >
            <i class="swatch" style={{ background: `var(--slot-${tree.colours[service]!.slot + 1})` }} /> {name}
          </button>
        ))}
        {tree.services.length > 12 && <span class="muted">and {tree.services.length - 12} more</span>}
      </span>
      <Warnings page={page} />
    </div>
  )
}

function Warnings({ page }: { page: TracePage }) {
  const { tree } = page.trace.value!
  return (
    <>
      {tree.skews.length > 0 && (
        <span class="warning-text">
          ⇄ skew{' '}
          {tree.skews
            .slice(0, 2)
            .map(({ service, shift }) => `${service} ${printOffset(-shift)}`)
            .join(', ')}
          {tree.skews.length > 2 && ` and ${tree.skews.length - 2} more`}
          <button
            class="button small"
            aria-pressed={page.adjusted.value}
            title={
              page.adjusted.value
                ? 'Show times as they were sent (r)'
                : 'Move skewed spans to where they can have been (r)'
            }
            onClick={() => void page.setAdjusted(!page.adjusted.value)}
          >
            Adjust
          </button>
        </span>
      )}
      {tree.notes.map(({ text, why, node }) => (
        <span key={text} class="warning-text" title={why}>
          {text}
          <button class="button small" onClick={() => page.select(node, { reveal: true })}>
            Show
          </button>
        </span>
      ))}
    </>
  )
}
