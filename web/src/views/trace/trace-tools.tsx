import { printPlural, printTotal } from '../../model/format.ts'
import type { RowFilters } from '../../model/rows.ts'
import { spansIn } from '../../model/trace.ts'
import type { TracePage } from '../../state/trace-page.ts'
import { Icon } from '../icons.tsx'

export function TraceTools({ page }: { page: TracePage }) {
  return (
    <div class="trace-tools">
      <FindBox page={page} />
      <FilterButtons page={page} />
      <span class="spring" />
      <ShownCount page={page} />
      <button class="button small" title="Zoom to the selected span (f)" onClick={() => page.fit(page.selected.value)}>
        Fit
      </button>
      <button class="button small" title="Zoom out to the whole trace (0)" onClick={() => page.zoomOut()}>
        Whole
      </button>
    </div>
  )
}

function FindBox({ page }: { page: TracePage }) {
  const { marks, count } = page.found.value
  return (
    <div class="find" role="search">
      <Icon name="explore" />
      <input
        data-query
        class="mono"
        value={page.findText.value}
        placeholder="find: word, key=value"
        aria-label="Find in the trace"
        spellcheck={false}
        onInput={({ currentTarget }) => page.find(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') page.nextMatch(event.shiftKey ? -1 : 1)
          else if (event.key === 'Escape' && page.findText.value !== '') page.find('')
          else return
          event.preventDefault()
          event.stopPropagation()
        }}
      />
      {marks && (
        <span class={count === 0 ? 'warning-text number' : 'number'} aria-live="polite">
          {count === 0 ? 'no match' : `${page.matchNumber.value || '-'} of ${printTotal(count)}`}
        </span>
      )}
      <button class="icon-button" title="Previous match (N)" disabled={count === 0} onClick={() => page.nextMatch(-1)}>
        <Icon name="up" />
      </button>
      <button class="icon-button" title="Next match (n)" disabled={count === 0} onClick={() => page.nextMatch(1)}>
        <Icon name="down" />
      </button>
    </div>
  )
}

function FilterButtons({ page }: { page: TracePage }) {
  const filters = page.filters.value
  const counts = page.counts.value
  const button = (
    name: keyof RowFilters,
    label: string,
    options: { count: number; title: string; className?: string },
  ) => (
    <button
      class={'segment ' + (options.className ?? '')}
      aria-pressed={filters[name]}
      disabled={options.count === 0 && !filters[name]}
      title={options.title}
      onClick={() => page.setFilter({ [name]: !filters[name] })}
    >
      {label} <span class="number">{printTotal(options.count)}</span>
    </button>
  )
  return (
    <div class="segments" role="group" aria-label="Show only">
      {button('found', 'Only matches', { count: page.found.value.count, title: 'Only spans that are found (o)' })}
      {button('critical', 'Critical', { count: counts.critical, title: 'Only the critical path (c)' })}
      {button('errors', 'Errors', {
        count: counts.errors,
        title: 'Only spans with errors',
        className: counts.errors > 0 ? 'error-text' : '',
      })}
      {button('slow', '> 10 %', { count: counts.slow, title: 'Only spans that took more than a tenth of the trace' })}
    </div>
  )
}

/** Always says what folding and filters leave out. */
function ShownCount({ page }: { page: TracePage }) {
  const { tree } = page.trace.value!
  const { nodes, matches, matchCount } = page.rows.value!
  if (matches) {
    return (
      <span class="muted">
        {printTotal(matchCount)} of {printPlural(tree.spanCount, 'span')} {matchCount === 1 ? 'matches' : 'match'}
        <button
          class="button small"
          onClick={() => page.setFilter({ found: false, critical: false, errors: false, slow: false })}
        >
          Show all
        </button>
      </span>
    )
  }
  const folded = nodes.reduce(
    (sum, node) =>
      sum +
      (page.open.value[node]
        ? 0
        : Math.max(0, spansIn(tree, node) - (tree.spansBefore[node + 1]! - tree.spansBefore[node]!))),
    0,
  )
  return (
    <span class="muted">
      {folded === 0
        ? printPlural(tree.spanCount, 'span')
        : `${printTotal(tree.spanCount - folded)} of ${printTotal(tree.spanCount)} spans, the rest folded`}
    </span>
  )
}
