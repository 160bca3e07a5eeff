/** The shape of a route's handler. */
import type { ApiContext } from './context.ts'
import type { routes } from './contract.ts'

export interface ApiRequest {
  /** Path parameters, decoded. */
  readonly path: Readonly<Record<string, string>>
  /** Query parameters, as the route's schema parsed them. */
  // oxlint-disable-next-line typescript/no-explicit-any -- each handler knows its own route's schema
  readonly query: any
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal
}

export type RouteName = (typeof routes)[number]['name']
export type Handler = (context: ApiContext, request: ApiRequest) => Promise<unknown>
export type Handlers = Record<RouteName, Handler>
