/** Loads one kind of answer: the newest request wins, and the old answer stays until the new one is there. */
import { signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import { ApiError } from './api.ts'

export interface Loaded<T> {
  readonly value: T | undefined
  readonly error: ApiError | undefined
  /** `performance.now()` when the current request began; 0 when there is none. */
  readonly since: number
}

export interface Loader<T> {
  readonly state: ReadonlySignal<Loaded<T>>
  run(request: (signal: AbortSignal) => Promise<T>): Promise<void>
  /** Stops waiting and keeps the old answer. */
  cancel(): void
  set(value: T | undefined): void
}

export function createLoader<T>(): Loader<T> {
  const state = signal<Loaded<T>>({ value: undefined, error: undefined, since: 0 })
  let current: AbortController | undefined
  const cancel = (): void => {
    current?.abort()
    current = undefined
    if (state.value.since !== 0) state.value = { ...state.value, since: 0 }
  }
  return {
    state,
    cancel,
    set(value) {
      cancel()
      state.value = { value, error: undefined, since: 0 }
    },
    async run(request) {
      current?.abort()
      const mine = new AbortController()
      current = mine
      state.value = { ...state.value, since: performance.now() }
      try {
        const value = await request(mine.signal)
        if (current === mine) state.value = { value, error: undefined, since: 0 }
      } catch (error) {
        if (current === mine) state.value = { value: state.value.value, error: asApiError(error), since: 0 }
      } finally {
        if (current === mine) current = undefined
      }
    },
  }
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  const why = error instanceof Error ? error.message : String(error)
  return new ApiError({ status: 0, what: 'show the answer', why, next: 'Reload the page.' })
}
