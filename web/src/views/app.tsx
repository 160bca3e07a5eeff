import { useEffect } from 'preact/hooks'
import { explorePath, isExplore } from '../state/explore.ts'
import { followLink, place } from '../state/location.ts'
import { notice } from '../state/notice.ts'
import { traceIdOf } from '../state/trace-url.ts'
import { ExplorePage } from './explore/explore-page.tsx'
import { Help } from './help.tsx'
import { Rail } from './rail.tsx'
import { TraceView } from './trace/trace-view.tsx'

export function App() {
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <Rail />
      <main id="main" tabIndex={-1}>
        <Page />
      </main>
      <Help />
      <div class={notice.value ? 'notice shown' : 'notice'} role="status" aria-live="polite">
        {notice.value}
      </div>
    </>
  )
}

function Page() {
  const { path } = place.value
  const traceId = traceIdOf(path)
  useEffect(() => {
    document.title = traceId ? `Trace ${traceId.slice(0, 8)} – clew` : 'Explore – clew'
  }, [traceId])
  if (traceId) return <TraceView key={traceId} traceId={traceId} />
  return isExplore.value ? <ExplorePage /> : <UnknownPage path={path} />
}

function UnknownPage({ path }: { path: string }) {
  return (
    <div class="state">
      <h1>There is no page {path}</h1>
      <p>Traces are found in Explore, and one trace is at /trace/ID.</p>
      <a class="button primary" href={explorePath} onClick={(event) => followLink(event, explorePath)}>
        Go to Explore
      </a>
    </div>
  )
}
