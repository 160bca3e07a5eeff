/**
 * Shared views of waiting and failure: nothing for 300 ms, then a line; after a second also the elapsed time and
 * Cancel.
 */
import { useEffect, useState } from 'preact/hooks'
import type { ApiError } from '../state/api.ts'
import { Icon } from './icons.tsx'

const quietMs = 300
const cancelAfterMs = 1000

/** Milliseconds since `since`, counted only while it is not 0. */
function useElapsed(since: number): number {
  const [now, setNow] = useState(0)
  useEffect(() => {
    if (since === 0) return undefined
    setNow(performance.now())
    const timer = setInterval(() => setNow(performance.now()), 100)
    return () => clearInterval(timer)
  }, [since])
  return since === 0 ? 0 : Math.max(0, now - since)
}

export function LoadingLine({ since, onCancel }: { since: number; onCancel: () => void }) {
  const elapsed = useElapsed(since)
  if (elapsed < quietMs) return null
  return (
    <div class="loading">
      <div class="loading-line" />
      {elapsed >= cancelAfterMs && (
        <div class="loading-time">
          {(elapsed / 1000).toFixed(1)} s
          <button class="button small" onClick={onCancel}>
            Cancel
          </button>
        </div>
      )}
    </div>
  )
}

/** Grey rows in the place of the first answer. */
export function Skeleton({ since, rows, height }: { since: number; rows: number; height: number }) {
  if (useElapsed(since) < quietMs) return null
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} style={{ height: `${height}px` }}>
          <span style={{ width: `${30 + ((row * 37) % 50)}%`, marginLeft: `${(row * 13) % 12}%` }} />
        </div>
      ))}
    </div>
  )
}

export function Failed({ error, onRetry }: { error: ApiError; onRetry: () => void }) {
  return (
    <div class="failed" role="alert">
      <Icon name="alert" />
      <div>
        <strong>Cannot {error.what}</strong>
        <span>{error.why}</span>
        <span class="muted">{error.next}</span>
      </div>
      <button class="button" onClick={onRetry}>
        Retry
      </button>
    </div>
  )
}
