import { useState } from 'preact/hooks'
import type { ShownAttribute } from '../../model/otlp-json.ts'
import { emptyExplore } from '../../model/search-filters.ts'
import { exploreUrl } from '../../state/explore.ts'
import { go } from '../../state/location.ts'
import { copy } from '../../state/notice.ts'
import { pinnedAttributes } from '../../state/settings.ts'
import type { TracePage } from '../../state/trace-page.ts'
import { Icon } from '../icons.tsx'

/** Longer values get the whole width. Still longer ones are cut until a person expands them. */
const wideText = 60
const longText = 1000

interface Props {
  readonly page: TracePage
  readonly attributes: readonly ShownAttribute[]
  readonly find: string
  readonly scope: 'span' | 'resource' | 'event'
}

/** Pinned keys first, then by name. */
export function AttributeList({ page, attributes, find, scope }: Props) {
  const pinned = new Set(pinnedAttributes.value.split('\n'))
  const wanted = find.toLowerCase()
  const shown = attributes
    .filter(
      ({ key, text }) => wanted === '' || key.toLowerCase().includes(wanted) || text.toLowerCase().includes(wanted),
    )
    .sort((a, b) => Number(pinned.has(b.key)) - Number(pinned.has(a.key)) || a.key.localeCompare(b.key))
  return (
    <div class="attributes">
      {shown.map((attribute, i) => (
        <Row
          key={attribute.key + i}
          page={page}
          attribute={attribute}
          isPinned={pinned.has(attribute.key)}
          scope={scope}
        />
      ))}
      {wanted !== '' && shown.length < attributes.length && (
        <p class="muted">
          {shown.length} of {attributes.length} contain “{find}”
        </p>
      )}
    </div>
  )
}

function togglePin(key: string): void {
  const keys = pinnedAttributes.value.split('\n').filter((old) => old !== '')
  pinnedAttributes.value = (keys.includes(key) ? keys.filter((old) => old !== key) : [...keys, key]).join('\n')
}

function Row({
  page,
  attribute: { key, type, text },
  isPinned,
  scope,
}: {
  page: TracePage
  attribute: ShownAttribute
  isPinned: boolean
  scope: Props['scope']
}) {
  const [isWhole, setWhole] = useState(false)
  const isLong = text.length > longText && !isWhole
  const findHere = (): void => page.find(`${key}=${/[\s"]/.test(text) ? `"${text.replaceAll('"', '')}"` : text}`)
  const explore = (): void =>
    go(
      exploreUrl({
        ...emptyExplore,
        filters: [
          key === 'service.name'
            ? { field: 'service', key: '', value: text }
            : { field: 'attribute', key, value: text },
        ],
      }),
      { results: undefined },
    )
  return (
    <div class={text.length > wideText || text.includes('\n') ? 'attribute long' : 'attribute'}>
      <span class="key mono" title={key}>
        {isPinned && <Icon name="pin" />}
        {key}
      </span>
      <span class={`value mono type-${type}`} title={type}>
        {isLong ? text.slice(0, longText) + '…' : text || <em class="muted">empty</em>}
        {isLong && (
          <button class="button small" onClick={() => setWhole(true)}>
            all {text.length} characters
          </button>
        )}
      </span>
      <span class="actions">
        {scope !== 'event' && (
          <>
            <button class="icon-button" title={`Find ${key} = this value in the trace`} onClick={findHere}>
              <Icon name="filter" />
            </button>
            <button class="icon-button" title={`Explore traces with ${key} = this value`} onClick={explore}>
              <Icon name="explore" />
            </button>
            <button
              class="icon-button"
              title={isPinned ? `Unpin ${key}` : `Pin ${key} to the top`}
              aria-pressed={isPinned}
              onClick={() => togglePin(key)}
            >
              <Icon name="pin" />
            </button>
          </>
        )}
        <button class="icon-button" title={`Copy the value of ${key}`} onClick={() => void copy(text, 'Value')}>
          <Icon name="copy" />
        </button>
      </span>
    </div>
  )
}
