import { useSignal } from '@preact/signals'
import { useEffect, useId, useRef } from 'preact/hooks'
import { addFilter, explainTyped, parseTyped, printFilter, removeFilter } from '../../model/search-filters.ts'
import type { Filter } from '../../model/search-filters.ts'
import { pastedTraceId } from '../../model/trace-id.ts'
import { change, exploreState, run } from '../../state/explore.ts'
import { go } from '../../state/location.ts'
import { suggest } from '../../state/suggestions.ts'
import type { Suggestion } from '../../state/suggestions.ts'
import { tracePath } from '../../state/trace-url.ts'
import { Icon } from '../icons.tsx'

const add = (filter: Filter): void => change({ filters: addFilter(exploreState.value.filters, filter), box: undefined })
const remove = (filter: Filter): void =>
  change({ filters: removeFilter(exploreState.value.filters, filter), box: undefined })

/**
 * Filters as chips, and a box that completes fields and values. A click on a chip moves it back into the box for
 * editing.
 */
export function QueryBar() {
  const { filters } = exploreState.value
  const box = useFilterBox(filters)
  return (
    <div
      class="query"
      role="search"
      onClick={({ target, currentTarget }) => target === currentTarget && box.input.current?.focus()}
    >
      <Icon name="filter" />
      {filters.map((filter) => (
        <Chip key={filter.field + filter.key + filter.value} filter={filter} onEdit={() => box.edit(filter)} />
      ))}
      <input
        ref={box.input}
        data-query
        class="mono"
        value={box.text}
        placeholder={filters.length === 0 ? 'service=cart   status=error   duration>500ms   http.route=/pay' : 'and…'}
        aria-label="Filter"
        role="combobox"
        aria-expanded={box.isOpen}
        aria-controls={box.listId}
        aria-activedescendant={box.isOpen && box.active >= 0 ? `${box.listId}-${box.active}` : undefined}
        autocomplete="off"
        spellcheck={false}
        onInput={({ currentTarget }) => box.type(currentTarget.value)}
        onFocus={() => box.setFocused(true)}
        onBlur={() => box.setFocused(false)}
        onKeyDown={box.onKey}
      />
      {filters.length > 0 && (
        <button class="icon-button" title="Remove all filters" onClick={() => change({ filters: [], box: undefined })}>
          <Icon name="close" />
        </button>
      )}
      {box.isOpen && <Offers id={box.listId} offers={box.offers} active={box.active} onTake={box.take} />}
      {box.problem && (
        <div class="query-problem" role="alert">
          {box.problem}
        </div>
      )}
    </div>
  )
}

function Chip({ filter, onEdit }: { filter: Filter; onEdit: () => void }) {
  const { name, sign, value } = printFilter(filter)
  const text = `${name} ${sign} ${value}`
  return (
    <span class="chip mono">
      <button title={'Edit ' + text} onClick={onEdit}>
        <span class="muted">
          {name} {sign}
        </span>{' '}
        {value}
      </button>
      <button class="chip-remove" title={'Remove ' + text} aria-label={'Remove ' + text} onClick={() => remove(filter)}>
        <Icon name="close" />
      </button>
    </span>
  )
}

function Offers({
  id,
  offers,
  active,
  onTake,
}: {
  id: string
  offers: readonly Suggestion[]
  active: number
  onTake: (offer: Suggestion) => void
}) {
  return (
    <ul class="offers" id={id} role="listbox" aria-label="Suggestions">
      {offers.map((offer, at) => (
        <li
          key={offer.text}
          id={`${id}-${at}`}
          role="option"
          aria-selected={at === active}
          onMouseDown={(event) => {
            event.preventDefault()
            onTake(offer)
          }}
        >
          <span class="mono">{offer.label}</span>
          <span class="muted">{offer.hint}</span>
        </li>
      ))}
    </ul>
  )
}

function typedText({ field, key, value }: Filter): string {
  if (field === 'min' || field === 'max') return `duration${field === 'min' ? '>' : '<'}${value}`
  return `${field === 'attribute' ? key : field}=${/\s/.test(value) ? `"${value}"` : value}`
}

/** Wraps around at both ends; -1 means none. */
function nextOffer(active: number, move: number, count: number): number {
  return active < 0 && move < 0 ? count - 1 : (active + move + count) % count
}

/** Passes on the result, unless the returned function was called before because a newer request was sent. */
function latest<T>(asked: Promise<T>, show: (value: T) => void): () => void {
  let isCurrent = true
  void asked.then((value) => (isCurrent ? show(value) : undefined))
  return () => {
    isCurrent = false
  }
}

/** State in signals, so that a key pressed right after typing acts on the typed text, not on the last drawn one. */
function useFilterBox(filters: readonly Filter[]) {
  const input = useRef<HTMLInputElement>(null)
  const listId = useId()
  const text = useSignal('')
  const isFocused = useSignal(false)
  const offers = useSignal<readonly Suggestion[]>([])
  const active = useSignal(-1)
  const problem = useSignal('')
  useEffect(() => {
    if (!isFocused.value) return undefined
    return latest(suggest(text.value, filters), (next) => {
      const chosen = offers.value[active.value]?.text
      offers.value = next
      active.value = next.findIndex((offer) => offer.text === chosen)
    })
  }, [text.value, isFocused.value, filters])
  const type = (next: string): void => {
    problem.value = ''
    text.value = next
    active.value = -1
  }
  const take = (offer: Suggestion): void => {
    if (offer.path !== undefined) return go(offer.path)
    if (offer.filter) add(offer.filter)
    type(offer.filter ? '' : offer.text)
    input.current?.focus()
  }
  const edit = (filter: Filter): void => {
    remove(filter)
    type(typedText(filter))
    input.current?.focus()
  }
  const submit = (): void => {
    if (text.value.trim() === '') return void run({ force: true })
    const traceId = pastedTraceId(text.value)
    if (traceId !== undefined) return go(tracePath(traceId))
    const filter = parseTyped(text.value)
    if (!filter) return void (problem.value = explainTyped(text.value))
    add(filter)
    type('')
  }
  const onKey = (event: KeyboardEvent): void => {
    const move = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const count = offers.value.length
    const offer = offers.value[active.value]
    const last = exploreState.value.filters.at(-1)
    if (move !== 0 && count > 0) active.value = nextOffer(active.value, move, count)
    else if (event.key === 'Tab' && count > 0 && text.value !== '') take(offer ?? offers.value[0]!)
    else if (event.key === 'Enter' && offer) take(offer)
    else if (event.key === 'Enter') submit()
    else if (event.key === 'Backspace' && text.value === '' && last) edit(last)
    else return
    event.preventDefault()
  }
  return {
    input,
    listId,
    type,
    onKey,
    take,
    edit,
    text: text.value,
    offers: offers.value,
    active: active.value,
    isOpen: isFocused.value && offers.value.length > 0,
    problem: problem.value,
    setFocused: (value: boolean) => (isFocused.value = value),
  }
}
