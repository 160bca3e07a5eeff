/** Checks the configuration as receivers and observers do when they start. Nothing is started. */
import { parseUsers } from '../capture/forward/forward-handshake.ts'
import { parseTailSources } from '../capture/file-tail/tail-source.ts'
import { StrategyFile } from '../capture/jaeger/strategy-file.ts'
import { tlsFiles } from '../capture/stream-receivers.ts'
import { readPem } from '../capture/sockets/tcp-listener.ts'
import { isLoopback } from '../base/web-guard.ts'
import type { Config } from './config.ts'

/** Rejects with `InputError` `bad_config` for the first fault. */
export async function checkConfig(config: Config): Promise<void> {
  const { forward, syslog, jaeger, tail } = config
  parseTailSources(JSON.parse(tail))
  if (forward.enabled) parseUsers(forward.users)
  if (forward.enabled && forward.tls) await readPem(tlsFiles(config, 'forward.tls'))
  if (syslog.enabled && syslog.tls) await readPem(tlsFiles(config, 'syslog.tls'))
  if (jaeger.enabled) new StrategyFile(jaeger.sampling.file).close()
}

/** A warning for a person who opens the ports to other machines; `undefined` on loopback. */
export function exposureWarning({ host }: Config): string | undefined {
  if (isLoopback(host)) return undefined
  return `listening on ${host}: clew has no authentication yet, so everybody who reaches its ports can read and write; keep them behind a firewall or a proxy that asks who comes`
}
