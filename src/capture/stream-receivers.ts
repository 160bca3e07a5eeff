/** The receivers of events in streams and datagrams: Forward, syslog, GELF and lines. */
import { InputError } from '../base/errors.ts'
import type { Config } from '../config/config.ts'
import { parseUsers } from './forward/forward-handshake.ts'
import { startForward, startForwardHeartbeat } from './forward/forward.ts'
import { startGelfTcp, startGelfUdp } from './gelf/gelf.ts'
import { startLinesTcp, startLinesUdp } from './lines/lines.ts'
import type { Listener, ReceiverContext } from './receiver.ts'
import type { ReceiverRow } from './receiver-row.ts'
import { startSyslogTcp, startSyslogUdp } from './syslog/syslog.ts'
import type { TlsFiles } from './sockets/tcp-listener.ts'

type Start = (context: ReceiverContext, config: Config) => Promise<Listener>

/**
 * Stream senders keep silent connections open for long. They get no answers, so what they send to a closed one is lost.
 */
function patient(start: Start): Start {
  return (context, config) => {
    const limits = { ...context.limits, idleTimeoutMs: config.limits.streamIdleMs }
    return start({ ...context, limits }, config)
  }
}

function startForwardFor(context: ReceiverContext, config: Config): Promise<Listener> {
  const { sharedKey, users, tls } = config.forward
  const security = { sharedKey, users: parseUsers(users) }
  return startForward(context, { security, tls: tls ? tlsFiles(config, 'forward.tls') : undefined })
}

/** Throws `InputError` `bad_config` when the option is on without a usable certificate. */
export function tlsFiles(config: Config, option: string): TlsFiles {
  const { cert, key } = config.tls
  if (cert !== '' && key !== '') return { certPath: cert, keyPath: key }
  throw new InputError('bad_config', `cannot use ${option}: it needs tls.cert and tls.key`, { at: option })
}

const forward = {
  accepts: 'forward' as const,
  enabled: (config: Config) => config.forward.enabled,
  port: (config: Config) => config.forward.port,
  flag: '--forward-port',
}
const syslog = {
  accepts: 'syslog' as const,
  enabled: (config: Config) => config.syslog.enabled,
  port: (config: Config) => config.syslog.port,
  flag: '--syslog-port',
}
const gelf = {
  accepts: 'gelf' as const,
  enabled: (config: Config) => config.gelf.enabled,
  port: (config: Config) => config.gelf.port,
  flag: '--gelf-port',
}
const lines = {
  accepts: 'lines' as const,
  enabled: (config: Config) => config.lines.enabled,
  port: (config: Config) => config.lines.port,
  flag: '--lines-port',
}

export const streamReceivers: readonly ReceiverRow[] = [
  { ...forward, name: 'forward', start: patient(startForwardFor) },
  { ...forward, name: 'forward-heartbeat', start: startForwardHeartbeat },
  { ...syslog, name: 'syslog-tcp', start: patient((context) => startSyslogTcp(context)) },
  { ...syslog, name: 'syslog-udp', start: startSyslogUdp },
  {
    name: 'syslog-tls',
    accepts: 'syslog',
    enabled: (config) => config.syslog.enabled && config.syslog.tls,
    port: (config) => config.syslog.tlsPort,
    flag: '--syslog-tls-port',
    start: patient((context, config) => startSyslogTcp(context, tlsFiles(config, 'syslog.tls'))),
  },
  { ...gelf, name: 'gelf-tcp', start: patient(startGelfTcp) },
  { ...gelf, name: 'gelf-udp', start: startGelfUdp },
  { ...lines, name: 'lines-tcp', start: patient(startLinesTcp) },
  { ...lines, name: 'lines-udp', start: startLinesUdp },
]
