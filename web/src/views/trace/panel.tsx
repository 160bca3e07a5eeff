import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { printDuration, printOffset, printShare, printTotal } from '../../model/format.ts'
import type { ShownEvent, ShownLink, ShownLog, SpanDetails } from '../../model/span-details.ts'
import { has, isSpan, nodeFlags, totalOf } from '../../model/trace.ts'
import { printExactTime } from '../../model/time.ts'
import { followLink } from '../../state/location.ts'
import { copy } from '../../state/notice.ts'
import { operationFigures } from '../../state/operation-figures.ts'
import type { OperationFigures } from '../../state/operation-figures.ts'
import { panelWidth, zone } from '../../state/settings.ts'
import type { TracePage } from '../../state/trace-page.ts'
import { tracePath } from '../../state/trace-url.ts'
import { Icon } from '../icons.tsx'
import { Splitter } from '../splitter.tsx'
import { AttributeList } from './attribute-list.tsx'
import { GroupPanel } from './group-panel.tsx'

/** The panel is beside the rows, so that reading about a span never moves them. */
export function Panel({ page }: { page: TracePage }) {
  const node = page.selected.value
  const content = page.panel.content.value
  const width = panelWidth.value
  return (
    <aside class="panel" style={{ width: `${width}px` }} aria-label="Details">
      <Splitter value={panelWidth} at={width} side="right" label="Width of the details" />
      <div class="panel-scroll" tabIndex={-1} data-panel>
        {node < 0 && <p class="muted">Select a span to see its details.</p>}
        {node >= 0 && !isSpan(page.trace.value!.tree, node) && <GroupPanel page={page} node={node} />}
        {content?.details && content.node === node && (
          <SpanPanel page={page} node={node} details={content.details} logs={content.logs?.own} />
        )}
        {content?.logs && content.node === node && <OtherLogs page={page} logs={content.logs.others} />}
        {content?.logsError && content.node === node && (
          <p class="muted">
            {content.details ? 'Logs: ' : 'Details: '}
            {content.logsError.why}
          </p>
        )}
      </div>
    </aside>
  )
}

interface SpanPanelProps {
  readonly page: TracePage
  readonly node: number
  readonly details: SpanDetails
  readonly logs: readonly ShownLog[] | undefined
}

function SpanPanel({ page, node, details, logs }: SpanPanelProps) {
  const { tree } = page.trace.value!
  const [find, setFind] = useState('')
  const { slot } = tree.colours[tree.service[node]!]!
  return (
    <>
      <header class="panel-head">
        <div>
          <i class="swatch" style={{ background: `var(--slot-${slot + 1})` }} />{' '}
          <span class="muted">{details.service}</span>
          <span class="muted kind">{details.kind === 'unspecified' ? '' : details.kind}</span>
        </div>
        <h2>{details.name}</h2>
      </header>
      {details.status === 'error' && <ErrorBox details={details} />}
      <Times page={page} node={node} details={details} />
      <label class="panel-find">
        <Icon name="explore" />
        <input
          class="mono"
          placeholder="filter the details"
          aria-label="Filter the details"
          value={find}
          onInput={({ currentTarget }) => setFind(currentTarget.value)}
        />
      </label>
      <Section title="Attributes" count={details.attributes.length} dropped={details.dropped.attributes} open>
        <AttributeList page={page} attributes={details.attributes} find={find} scope="span" />
      </Section>
      <Section title="Events" count={details.events.length} dropped={details.dropped.events} open>
        {details.events.map((event, i) => (
          <EventItem key={i} page={page} event={event} startNano={tree.startNano} find={find} />
        ))}
      </Section>
      <Section title="Logs" count={logs?.length ?? 0} open>
        {logs?.map((log, i) => (
          <LogItem key={i} page={page} log={log} startNano={tree.startNano} find={find} />
        ))}
      </Section>
      <Section title="Links" count={details.links.length} dropped={details.dropped.links} open>
        {details.links.map((link, i) => (
          <LinkItem key={i} page={page} link={link} find={find} />
        ))}
      </Section>
      <Section title="Resource" count={details.resource.length}>
        <AttributeList page={page} attributes={details.resource} find={find} scope="resource" />
      </Section>
      <Section title="Ids" count={details.parentSpanId ? 3 : 2}>
        <Id label="trace" value={page.traceId} />
        <Id label="span" value={details.spanId} />
        {details.parentSpanId && <Id label="parent" value={details.parentSpanId} />}
        {details.traceState && <Id label="state" value={details.traceState} />}
        {details.scope && <Id label="scope" value={details.scope} />}
      </Section>
    </>
  )
}

function ErrorBox({ details }: { details: SpanDetails }) {
  const exception = details.events.find(({ name }) => name === 'exception')
  const value = (key: string): string => exception?.attributes.find((attribute) => attribute.key === key)?.text ?? ''
  const message = details.statusMessage || value('exception.message')
  return (
    <div class="error-box">
      <strong>
        <Icon name="alert" /> {value('exception.type') || 'Error'}
      </strong>
      <span>{message || 'The span ended with an error and gave no message.'}</span>
    </div>
  )
}

function Times({ page, node, details }: { page: TracePage; node: number; details: SpanDetails }) {
  const { timing, tree } = page.trace.value!
  const isUnfinished = has(tree, node, nodeFlags.unfinished)
  const [figures, setFigures] = useState<OperationFigures>()
  useEffect(() => {
    let isCurrent = true
    setFigures(undefined)
    void operationFigures(details.service, details.name, details.startNano).then(
      (found) => isCurrent && setFigures(found),
    )
    return () => {
      isCurrent = false
    }
  }, [details.service, details.name])
  const length = timing.length[node]!
  return (
    <dl class="times">
      <div>
        <dt>Duration</dt>
        <dd>
          <b>{isUnfinished ? 'no end' : printDuration(length)}</b>{' '}
          <span class="muted">{printShare(length, timing.duration)} of trace</span>
        </dd>
      </div>
      <div>
        <dt>Self</dt>
        <dd>
          {printDuration(timing.self[node]!)}{' '}
          <span class="muted">{length > 0 && `${printShare(timing.self[node]!, length)} of span`}</span>
        </dd>
      </div>
      <div>
        <dt>Critical</dt>
        <dd>{printDuration(totalOf(timing.critical, node))}</dd>
      </div>
      <div>
        <dt>Start</dt>
        <dd title={printExactTime(details.startNano, zone.value)}>
          {printOffset(timing.start[node]!)}{' '}
          <span class="muted">{printExactTime(details.startNano, zone.value).slice(11)}</span>
        </dd>
      </div>
      {figures && (
        <div>
          <dt>Operation</dt>
          <dd title={`${printTotal(figures.calls)} calls of this operation in the hour up to this one`}>
            <span class="muted">p50</span> {printDuration(figures.p50)} <span class="muted">p95</span>{' '}
            {printDuration(figures.p95)}
          </dd>
        </div>
      )}
    </dl>
  )
}

interface SectionProps {
  readonly title: string
  readonly count: number
  readonly dropped?: number
  readonly open?: boolean
  readonly children: ComponentChildren
}

function Section({ title, count, dropped = 0, open = false, children }: SectionProps) {
  if (count === 0 && dropped === 0) return null
  return (
    <details class="section" open={open}>
      <summary>
        {title} <span class="muted number">{count}</span>
        {dropped > 0 && <span class="warning-text">{printTotal(dropped)} dropped by the sender</span>}
      </summary>
      {children}
    </details>
  )
}

const contains = (find: string, ...texts: string[]): boolean =>
  find === '' || texts.some((text) => text.toLowerCase().includes(find.toLowerCase()))

function EventItem({
  page,
  event,
  startNano,
  find,
}: {
  page: TracePage
  event: ShownEvent
  startNano: bigint
  find: string
}) {
  if (!contains(find, event.name, ...event.attributes.flatMap(({ key, text }) => [key, text]))) return null
  const isException = event.name === 'exception'
  return (
    <div class="item">
      <div class="item-head">
        <b class={isException ? 'error-text' : ''}>◆ {event.name}</b>
        <span class="muted number">{printOffset(Number(event.timeNano - startNano))}</span>
      </div>
      <AttributeList page={page} attributes={event.attributes} find="" scope="event" />
    </div>
  )
}

function LogItem({ page, log, startNano, find }: { page: TracePage; log: ShownLog; startNano: bigint; find: string }) {
  if (!contains(find, log.body, log.severity, ...log.attributes.flatMap(({ key, text }) => [key, text]))) return null
  const tone = log.severityNumber >= 17 ? 'error-text' : log.severityNumber >= 13 ? 'warning-text' : 'muted'
  return (
    <details class="item log">
      <summary>
        <span class="muted number">{printOffset(Number(log.timeNano - startNano))}</span>
        <b class={tone}>{log.severity || '-'}</b>
        <span class="log-body">{log.body}</span>
      </summary>
      <AttributeList page={page} attributes={log.attributes} find="" scope="event" />
    </details>
  )
}

/** Shown below the first node, which is open at the start: logs that belong to no span of the trace. */
function OtherLogs({ page, logs }: { page: TracePage; logs: readonly ShownLog[] }) {
  return (
    <Section title="Other logs of the trace" count={logs.length} open>
      <p class="muted">They name the trace, and no span of it.</p>
      {logs.map((log, i) => (
        <LogItem key={i} page={page} log={log} startNano={page.trace.value!.tree.startNano} find="" />
      ))}
    </Section>
  )
}

function LinkItem({ page, link, find }: { page: TracePage; link: ShownLink; find: string }) {
  if (!contains(find, link.traceId, link.spanId)) return null
  const url = tracePath(link.traceId) + (link.spanId === '' ? '' : `?span=${link.spanId}`)
  return (
    <div class="item">
      {link.traceId === '' ? (
        <span class="mono">names no trace</span>
      ) : (
        <a class="mono" href={url} onClick={(event) => followLink(event, url)}>
          ↗ {link.traceId === page.traceId ? 'this trace' : link.traceId.slice(0, 16) + '…'}
          {link.spanId === '' ? '' : `, span ${link.spanId}`}
        </a>
      )}
      <AttributeList page={page} attributes={link.attributes} find="" scope="event" />
    </div>
  )
}

function Id({ label, value }: { label: string; value: string }) {
  return (
    <div class="attribute">
      <span class="key mono">{label}</span>
      <span class="value mono">{value}</span>
      <span class="actions">
        <button class="icon-button" title={`Copy ${value}`} onClick={() => void copy(value, 'Id')}>
          <Icon name="copy" />
        </button>
      </span>
    </div>
  )
}
