import type { StatusAnswer } from '../../../../src/api/native/contract.ts'
import { printPlural } from '../../model/format.ts'
import { addFilter, printFilter, removeFilter } from '../../model/search-filters.ts'
import { printAgo, printRfc3339, printTime } from '../../model/time.ts'
import { change, exploreState, noMatch } from '../../state/explore.ts'
import { copy } from '../../state/notice.ts'
import { zone } from '../../state/settings.ts'
import { Icon } from '../icons.tsx'

/** No newer trace matches, so the suggested hour is before the last match. */
const beforeMs = 59 * 60_000
const afterMs = 60_000

const takesSpans = new Set<StatusAnswer['listeners'][number]['accepts']>(['otlp-grpc', 'otlp-http', 'zipkin', 'jaeger'])

/** The store is empty: shows where to send the first span. */
export function EmptyStore({ status }: { status: StatusAnswer }) {
  const listeners = status.listeners.filter(({ accepts }) => takesSpans.has(accepts))
  const http = listeners.find(({ accepts }) => accepts === 'otlp-http')
  const endpoint = `http://${hostOf(http?.address)}:${http?.port ?? 4318}`
  return (
    <div class="state">
      <h1>No spans yet</h1>
      <p>clew listens. Point a program with an OpenTelemetry SDK at it; its traces appear here by themselves.</p>
      <Command text={`export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`} what="Setting" />
      <table class="endpoints">
        <tbody>
          {listeners.map(({ name, protocol, address, port }) => (
            <tr key={name + protocol + port}>
              <td>{name}</td>
              <td class="muted">{protocol}</td>
              <td>
                <Command text={`${hostOf(address)}:${port}`} what="Address" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted" role="status">
        <span class="pulse" /> Waiting for the first span…
      </p>
    </div>
  )
}

function hostOf(address: string | undefined): string {
  if (!address || address === '0.0.0.0' || address === '::' || address === '127.0.0.1' || address === '::1')
    return location.hostname
  return address.includes(':') ? `[${address}]` : address
}

function Command({ text, what }: { text: string; what: string }) {
  return (
    <span class="command">
      <code>{text}</code>
      <button class="icon-button" title={'Copy ' + text} onClick={() => void copy(text, what)}>
        <Icon name="copy" />
      </button>
    </span>
  )
}

/** Nothing matches: shows how much each filter excludes, when something last matched, and similar names. */
export function NothingFound() {
  const { value, error } = noMatch.state.value
  const { filters } = exploreState.value
  return (
    <div class="state">
      <h1>No trace matches</h1>
      {filters.length === 0 && <p>Nothing was received in this time.</p>}
      {error && <p class="muted">Cannot say why: {error.why}</p>}
      {value?.nearest.map(({ filter, names }) => (
        <p key={filter.field}>
          There is no {filter.field} “{filter.value}” in this time. Nearest:{' '}
          {names.map((name) => (
            <button
              key={name}
              class="button"
              onClick={() => change({ filters: addFilter(filters, { ...filter, value: name }) })}
            >
              {name}
            </button>
          ))}
        </p>
      ))}
      {value && value.without.length > 0 && (
        <div class="ways">
          {value.without.map(({ filter, total }) => {
            const { name, sign, value: text } = printFilter(filter)
            return (
              <button
                key={filter.field + filter.key + filter.value}
                class="button"
                disabled={total === 0}
                onClick={() => change({ filters: removeFilter(filters, filter), box: undefined })}
              >
                <span>
                  without{' '}
                  <code>
                    {name} {sign} {text}
                  </code>
                  : {printPlural(total, 'trace')}
                </span>
              </button>
            )
          })}
        </div>
      )}
      {value?.lastMatchMs !== undefined && <LastMatch ms={value.lastMatchMs} />}
      {value && value.lastMatchMs === undefined && <p class="muted">Nothing that is stored matches, at any time.</p>}
    </div>
  )
}

function LastMatch({ ms }: { ms: number }) {
  const range = { from: printRfc3339(ms - beforeMs), to: printRfc3339(ms + afterMs) }
  return (
    <p>
      Last match: <b title={printAgo(ms, Date.now())}>{printTime(ms, zone.value)}</b>{' '}
      <button class="button" onClick={() => change({ range, box: undefined })}>
        Show that hour
      </button>
    </p>
  )
}
