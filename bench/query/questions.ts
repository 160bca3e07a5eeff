/** The usual questions, each asked for a trace of the load's sample. */
import type { Manifest } from '../support/load.ts'

export type Trace = Manifest['sample'][number]

export const questions: readonly (readonly [name: string, path: (trace: Trace) => string])[] = [
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
  ['dependencies', () => '/api/v1/dependencies'],
]
