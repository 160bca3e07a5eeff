import { printDuration, printOffset, printPlural, printShare, printTotal } from '../../model/format.ts'
import { childrenOf, errorsIn, groupSize, has, nodeFlags } from '../../model/trace.ts'
import type { TracePage } from '../../state/trace-page.ts'

const listedMax = 10

/** A group of similar siblings, or a parent that never arrived: statistics and links to the spans. */
export function GroupPanel({ page, node }: { page: TracePage; node: number }) {
  const { tree, timing } = page.trace.value!
  if (has(tree, node, nodeFlags.missingParent)) return <MissingPanel page={page} node={node} />
  const members = [...childrenOf(tree, node)].sort((a, b) => timing.length[b]! - timing.length[a]!)
  const total = members.reduce((sum, member) => sum + timing.length[member]!, 0)
  const errors = errorsIn(tree, node)
  const middle = members[members.length >> 1]!
  const figures: [string, string][] = [
    ['Calls', printTotal(groupSize(tree, node))],
    ['Errors', printTotal(errors)],
    ['Total', `${printDuration(total)}, ${printShare(total, timing.duration)} of trace`],
    ['Self', printDuration(timing.self[node]!)],
    ['Median', printDuration(timing.length[middle]!)],
    ['Longest', printDuration(timing.length[members[0]!]!)],
    ['Span of time', `${printDuration(timing.length[node]!)} from ${printOffset(timing.start[node]!)}`],
  ]
  return (
    <>
      <header class="panel-head">
        <div>
          <i class="swatch" style={{ background: `var(--slot-${tree.colours[tree.service[node]!]!.slot + 1})` }} />{' '}
          <span class="muted">{tree.services[tree.service[node]!]}</span>
        </div>
        <h2>
          {tree.names[tree.name[node]!]} ×{groupSize(tree, node)}
        </h2>
      </header>
      <p class="muted">Like calls under one parent, folded into one row.</p>
      <dl class="times">
        {figures.map(([label, text]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd class={label === 'Errors' && errors > 0 ? 'error-text' : ''}>{text}</dd>
          </div>
        ))}
      </dl>
      <h3>
        Longest{' '}
        <span class="muted">{members.length > listedMax && `${listedMax} of ${printTotal(members.length)}`}</span>
      </h3>
      <SpanList page={page} nodes={members.slice(0, listedMax)} />
    </>
  )
}

function MissingPanel({ page, node }: { page: TracePage; node: number }) {
  const children = [...childrenOf(page.trace.value!.tree, node)]
  return (
    <>
      <header class="panel-head">
        <h2>Missing parent</h2>
      </header>
      <p>
        {printPlural(children.length, 'span')} name a parent that was not received. It may still come, may have been
        lost or sampled away, or its program sends its spans elsewhere.
      </p>
      <SpanList page={page} nodes={children.slice(0, listedMax)} />
    </>
  )
}

function SpanList({ page, nodes }: { page: TracePage; nodes: readonly number[] }) {
  const { tree, timing } = page.trace.value!
  return (
    <div class="span-list">
      {nodes.map((node) => (
        <button key={node} onClick={() => page.select(node, { reveal: true })}>
          <span>
            {has(tree, node, nodeFlags.error) && <b class="error-text">! </b>}
            {tree.names[tree.name[node]!]}
          </span>
          <span class="muted number">{printOffset(timing.start[node]!)}</span>
          <span class="number">{printDuration(timing.length[node]!)}</span>
        </button>
      ))}
    </div>
  )
}
