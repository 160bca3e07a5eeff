import { emptyExplore } from '../model/search-filters.ts'
import { exploreUrl, isExplore } from '../state/explore.ts'
import { helpOpen } from '../state/keys.ts'
import { followLink, place } from '../state/location.ts'
import { nextTheme, theme } from '../state/settings.ts'
import { Icon } from './icons.tsx'

/** Links to existing pages only. From a trace, the link back keeps the search from which it was opened. */
export function Rail() {
  const url = place.value.results?.url ?? exploreUrl(emptyExplore)
  const other = theme.value === 'dark' ? 'light' : 'dark'
  return (
    <nav class="rail" aria-label="Pages">
      <img src="/mark.svg" width="24" height="24" alt="clew" />
      <a
        class="rail-item"
        href={url}
        title="Explore (g e)"
        aria-current={isExplore.value ? 'page' : undefined}
        onClick={(event) => followLink(event, url, { results: undefined })}
      >
        <Icon name="explore" />
        <span class="visually-hidden">Explore</span>
      </a>
      <span class="spring" />
      <button class="rail-item" title={`Switch to the ${other} theme`} onClick={nextTheme}>
        <Icon name={theme.value === 'dark' ? 'sun' : 'moon'} />
        <span class="visually-hidden">Switch to the {other} theme</span>
      </button>
      <button class="rail-item" title="Keys (?)" onClick={() => (helpOpen.value = true)}>
        <Icon name="keys" />
        <span class="visually-hidden">Keys</span>
      </button>
    </nav>
  )
}
