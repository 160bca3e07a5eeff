/** The usual questions, each asked for a trace of the load's sample. */
import type { Manifest } from '../support/load.ts'

export type Trace = Manifest['sample'][number]

export function questionsOf(manifest: Manifest): (readonly [name: string, path: (trace: Trace) => string])[] {
  /** Ends within buckets of five minutes. */
  const halfHour = rangeAt((manifest.startMs + manifest.endMs) / 2)
  return [
    ['ready (the floor)', () => '/ready'],
    ['trace by id', ({ id }) => `/api/v1/traces/${id}`],
    ['service, limit 20', ({ rootService }) => `/api/v1/traces?service=${rootService}&limit=20`],
    [
      'service + operation',
      ({ rootService, rootOp }) =>
        `/api/v1/traces?service=${rootService}&operation=${encodeURIComponent(rootOp)}&limit=20`,
    ],
    [
      'service + status 500',
      ({ rootService }) => `/api/v1/traces?service=${rootService}&attribute=http.response.status_code%3D500&limit=20`,
    ],
    [
      'service + user.id',
      ({ rootService, user }) => `/api/v1/traces?service=${rootService}&attribute=user.id%3D${user}&limit=20`,
    ],
    ['user.id alone', ({ user }) => `/api/v1/traces?attribute=user.id%3D${user}&limit=20`],
    [
      'service + thread.name (map)',
      ({ rootService, startMs }) =>
        `/api/v1/traces?service=${rootService}&attribute=thread.name%3Dworker-${startMs % 64}&limit=20`,
    ],
    [
      'service + duration > 500 ms',
      ({ rootService }) => `/api/v1/traces?service=${rootService}&minDuration=500ms&limit=20`,
    ],
    ['newest 20', () => '/api/v1/traces?limit=20'],
    ['services', () => '/api/v1/services'],
    ['operations', ({ rootService }) => `/api/v1/services/${rootService}/operations`],
    ['attribute keys', () => '/api/v1/attributes'],
    ['dependencies', () => '/api/v1/dependencies'],
    ['services, half an hour', () => `/api/v1/services?${halfHour}`],
    ['operations, half an hour', ({ rootService }) => `/api/v1/services/${rootService}/operations?${halfHour}`],
    ['attribute keys, half an hour', () => `/api/v1/attributes?${halfHour}`],
    ['dependencies, half an hour', () => `/api/v1/dependencies?${halfHour}`],
    ['services, another range each time', ({ startMs }) => `/api/v1/services?${rangeAt(startMs)}`],
    ['dependencies, another range each time', ({ startMs }) => `/api/v1/dependencies?${rangeAt(startMs)}`],
  ]
}

/** Half an hour around the time. */
function rangeAt(timeMs: number): string {
  return `start=${timeMs - 900_000}&end=${timeMs + 900_000}`
}
