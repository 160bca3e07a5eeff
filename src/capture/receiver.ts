/** The program's view of a receiver: it listens, feeds the intake, and can be stopped. */
import type { Logger } from 'pino'
import type { Intake } from './intake.ts'

export interface ReceiverContext {
  readonly intake: Intake
  readonly logger: Logger
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  readonly limits: ReceiverLimits
  /** Web origins that may send from a browser, for receivers over HTTP; `*` is any. None when absent. */
  readonly corsOrigins?: readonly string[]
  /** Names in Host headers that mean this server, in addition to those of its address (base/web-guard.ts). */
  readonly allowedHosts?: readonly string[]
}

export interface ReceiverLimits {
  /** The maximum number of open connections of one listener; further ones are closed at once. */
  readonly connectionsMax: number
  /** A request or frame must be complete within this time after its first byte. */
  readonly requestTimeoutMs: number
  /** A connection with no unfinished request is closed after this time. */
  readonly idleTimeoutMs: number
}

/** What clients send to a receiver's port: the closed list that the status shows. */
export type Accepts = 'otlp-grpc' | 'otlp-http' | 'zipkin' | 'jaeger' | 'forward' | 'syslog' | 'gelf' | 'lines'

/** A bound socket that accepts requests. */
export interface Listener {
  readonly name: string
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
  /** Accepts no new connections or requests, finishes the current ones, then resolves. */
  close(): Promise<void>
}

/** Starts listening; rejects with `UnavailableError` `port_in_use` when the port is taken. */
export type StartReceiver = (context: ReceiverContext) => Promise<Listener>
