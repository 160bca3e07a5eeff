import type { StatusAnswer } from '../../../../src/api/native/contract.ts'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { printPlural } from '../../model/format.ts'
import { printTime } from '../../model/time.ts'
import { has, nodeFlags } from '../../model/trace.ts'
import { status } from '../../state/api.ts'
import { usePageKeys } from '../../state/keys.ts'
import { zone } from '../../state/settings.ts'
import { TracePage } from '../../state/trace-page.ts'
import { traceKeys } from '../../state/trace-keys.ts'
import { Failed, LoadingLine, Skeleton } from '../loading.tsx'
import { MinimapView } from './minimap-view.tsx'
import { Panel } from './panel.tsx'
import { TraceHeader } from './trace-header.tsx'
import { TraceTools } from './trace-tools.tsx'
import { Waterfall } from './waterfall-view.tsx'

export function TraceView({ traceId }: { traceId: string }) {
  const page = useMemo(() => new TracePage(traceId), [traceId])
  useEffect(() => {
    const takeAway = usePageKeys(traceKeys(page))
    return () => {
      takeAway()
      page.close()
    }
  }, [page])
  const { error, since } = page.opened.state.value
  const trace = page.trace.value
  useEffect(() => {
    if (!trace) return
    const { tree } = trace
    const mark = has(tree, 0, nodeFlags.error) ? '! ' : ''
    document.title = `${mark}${tree.services[tree.service[0]!]} ${tree.names[tree.name[0]!]} – clew`
  }, [trace?.tree])
  return (
    <div class="trace">
      <TraceHeader page={page} />
      <LoadingLine since={since} onCancel={() => history.back()} />
      {error &&
        (error.status === 404 || error.status === 400 ? (
          <UnknownTrace page={page} why={error.why} isId={error.status === 404} />
        ) : (
          <Failed error={error} onRetry={() => void page.load()} />
        ))}
      {!trace && !error && <Skeleton since={since} rows={24} height={24} />}
      {trace && (
        <>
          <MinimapView page={page} />
          <TraceTools page={page} />
          <div class="trace-body">
            <Waterfall page={page} />
            {page.panelOpen.value && <Panel page={page} />}
          </div>
        </>
      )}
    </div>
  )
}

/** Spans of a valid id may still arrive; an invalid id never has any. */
function UnknownTrace({ page, why, isId }: { page: TracePage; why: string; isId: boolean }) {
  const [stored, setStored] = useState<StatusAnswer['stored']>()
  useEffect(() => {
    status().then(
      (answer) => setStored(answer.stored),
      () => setStored(undefined),
    )
  }, [])
  const time = (text: string): string => printTime(Date.parse(text), zone.value)
  return (
    <div class="state" role="alert">
      <h1>No trace {page.traceId.slice(0, 32)}</h1>
      <p>{why}</p>
      {isId && (
        <p class="muted">
          Its spans may still be on their way, may have been sent elsewhere, or may be older than what is kept.
        </p>
      )}
      {stored?.oldest && stored.newest && (
        <p class="muted">
          Stored: {printPlural(stored.spans, 'span')}, {time(stored.oldest)} to {time(stored.newest)}.
        </p>
      )}
      <div class="ways">
        {isId && (
          <button class="button primary" onClick={() => void page.load()}>
            Retry
          </button>
        )}
        <a class="button" href="/explore">
          Go to Explore
        </a>
      </div>
    </div>
  )
}
