import { printCount, printPlural, printTotal } from '../../model/format.ts'
import { addFilter, removeFilter } from '../../model/search-filters.ts'
import type { Filter, FilterField } from '../../model/search-filters.ts'
import { printClock, printZone } from '../../model/time.ts'
import { change, exploreRange, exploreState, facets } from '../../state/explore.ts'
import { zone } from '../../state/settings.ts'
import { LoadingLine } from '../loading.tsx'

const fields: readonly string[] = ['service', 'operation', 'status']

/** Values of the matching spans. A click filters by a value, a second click removes the filter. */
export function FacetList() {
  const { value, error, since } = facets.state.value
  return (
    <aside class="facets" aria-label="Facets">
      <LoadingLine since={since} onCancel={() => facets.cancel()} />
      {value && <CutNote spans={value.spans} since={value.since} />}
      {error && <p class="muted">Facets: {error.why}</p>}
      {value?.facets
        .filter(({ values }) => values.length > 0)
        .map((facet) => (
          <Facet key={facet.key} facet={facet} />
        ))}
    </aside>
  )
}

/** The maximum number of spans that the server counts. */
const countedMax = 100_000

/** Says what the counts leave out. */
function CutNote({ spans, since }: { spans: number; since: string | null }) {
  if (spans < countedMax && since === null) return null
  const ms = since === null ? undefined : Date.parse(since)
  return (
    <p class="muted cut-note">
      Counts of {printPlural(spans, 'span')}
      {ms !== undefined && ` since ${printClock(ms, exploreRange.value.toMs, zone.value)} ${printZone(ms, zone.value)}`}
      ; {spans < countedMax ? 'older ones may match' : 'more match'}
    </p>
  )
}

interface FacetProps {
  readonly facet: {
    readonly key: string
    readonly values: readonly { readonly value: string; readonly spans: number; readonly errors: number }[]
    readonly distinct: number
  }
}

function Facet({ facet: { key, values, distinct } }: FacetProps) {
  const most = Math.max(...values.map(({ spans }) => spans))
  return (
    <section>
      <h3>
        {key}
        {distinct > values.length && (
          <span class="muted">
            {values.length} of {printTotal(distinct)}
          </span>
        )}
      </h3>
      {values.map(({ value, spans, errors }) => (
        <FacetValue
          key={value}
          filter={filterOf(key, value)}
          text={value}
          spans={spans}
          errors={errors}
          share={spans / most}
        />
      ))}
    </section>
  )
}

function filterOf(key: string, value: string): Filter {
  return fields.includes(key) ? { field: key as FilterField, key: '', value } : { field: 'attribute', key, value }
}

function FacetValue({
  filter,
  text,
  spans,
  errors,
  share,
}: {
  filter: Filter
  text: string
  spans: number
  errors: number
  share: number
}) {
  const { filters } = exploreState.value
  const isOn = filters.some((old) => old.field === filter.field && old.key === filter.key && old.value === filter.value)
  const toggle = (): void =>
    change({ filters: isOn ? removeFilter(filters, filter) : addFilter(filters, filter), box: undefined })
  const hint = `${printPlural(spans, 'span')}, ${printTotal(errors)} with errors`
  return (
    <button class="facet-value" aria-pressed={isOn} title={`${text || '(empty)'}: ${hint}`} onClick={toggle}>
      <span class="facet-bar" style={{ width: `${Math.max(1, share * 100)}%` }} />
      <span class="facet-name">{text || '(empty)'}</span>
      {errors > 0 && <span class="error-text">!{printCount(errors)}</span>}
      <span class="number">{printCount(spans)}</span>
    </button>
  )
}
