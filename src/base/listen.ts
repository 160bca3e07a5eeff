/** Binds a port, with clear messages for the failures that a person can fix. */
import { UnavailableError, messageOf } from './errors.ts'

/** Turns an error from listening into an `UnavailableError` that names the address. */
export function listenError(error: unknown, host: string, port: number): UnavailableError {
  const code = (error as { code?: string }).code
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  if (code === 'EADDRINUSE') {
    return new UnavailableError('port_in_use', `cannot listen on ${where}: another process uses this port`, {
      cause: error,
      canRetry: false,
    })
  }
  const cause = code === 'EACCES' ? 'the system does not allow this port to this user' : messageOf(error)
  return new UnavailableError('io_failed', `cannot listen on ${where}: ${cause}`, { cause: error, canRetry: false })
}

/** When another process uses the port, the message names the option that changes it. */
export function withPortOption(error: UnavailableError, flag: string): UnavailableError {
  if (error.code !== 'port_in_use') return error
  const message = `${error.message}; choose another with ${flag}`
  return new UnavailableError('port_in_use', message, { cause: error, canRetry: false })
}
