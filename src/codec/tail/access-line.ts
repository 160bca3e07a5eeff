/**
 * Access logs of Apache and nginx:
 *   common   = [ host ":" port SP ] client { "," [ SP ] proxy } ident user [day/Mon/year:hh:mm:ss zone] "request" status bytes
 *   combined = common "referer" "user agent" { whatever else }
 *   request  = method target [ version ]
 * Attributes have the names of the OTel conventions for HTTP. The severity follows the status: 5xx error, 4xx warning.
 */
import type { RecordRow } from '../record/record-row.ts'

const quoted = '"((?:[^"\\\\]|\\\\.)*)"'
const form = new RegExp(
  `^(?:([\\w.-]+|\\[[\\da-fA-F:]+\\]):(\\d{1,5}) (?=\\S+ \\S+ \\S.*? \\[))?([^\\s,]+)((?:, ?[^\\s,]+)*) (\\S+) (\\S.*?) \\[(\\d\\d)/([A-Z][a-z]{2})/(\\d{4}):(\\d\\d:\\d\\d:\\d\\d) ([+-]\\d{4})\\] ${quoted} (\\d{3}|-) (\\d+|-)(?: ${quoted} ${quoted})?(?: (.*))?$`,
)
const requestForm = /^([A-Z]{1,20}) (\S+)(?: (?:HTTP\/)?(\S+))?$/
const months = 'JanFebMarAprMayJunJulAugSepOctNovDec'

/** False when the text does not have this form; then nothing was put. The caller keeps the whole line as the body. */
export function putAccessLine(text: string, record: RecordRow): boolean {
  const match = form.exec(text)
  if (match === null) return false
  const [
    ,
    host,
    port,
    client,
    proxies,
    ,
    user,
    day,
    monthName,
    year,
    clock,
    zone,
    request,
    status,
    bytes,
    referer,
    agent,
    rest,
  ] = match
  const month = months.indexOf(monthName!) / 3 + 1
  if (!Number.isInteger(month) || month < 1) return false
  record.putText(
    'time',
    `${year}-${String(month).padStart(2, '0')}-${day}T${clock}${zone!.slice(0, 3)}:${zone!.slice(3)}`,
  )
  if (host !== undefined) record.putText('server.address', host.replaceAll(/[[\]]/g, ''))
  if (port !== undefined) record.putValue('server.port', { type: 'int', value: BigInt(port) })
  record.putText('client.address', client!)
  if (proxies !== '') record.putText('http.request.header.x-forwarded-for', `${client}${proxies}`)
  if (user !== '-') record.putText('user.name', user!)
  putRequest(unescape(request!), record)
  if (status !== '-') putStatus(Number(status), record)
  if (bytes !== '-' && bytes!.length <= 15)
    record.putValue('http.response.body.size', { type: 'int', value: BigInt(bytes!) })
  if (referer !== undefined && referer !== '-' && referer !== '')
    record.putText('http.request.header.referer', unescape(referer))
  if (agent !== undefined && agent !== '-' && agent !== '') record.putText('user_agent.original', unescape(agent))
  if (rest !== undefined) record.putText('log.record.rest', rest)
  return true
}

function putRequest(request: string, record: RecordRow): void {
  const match = requestForm.exec(request)
  if (match === null) return
  const [, method, target, version] = match
  record.putText('http.request.method', method!)
  const query = target!.indexOf('?')
  record.putText('url.path', query < 0 ? target! : target!.slice(0, query))
  if (query >= 0) record.putText('url.query', target!.slice(query + 1))
  if (version !== undefined) record.putText('network.protocol.version', version)
}

function putStatus(status: number, record: RecordRow): void {
  record.putValue('http.response.status_code', { type: 'int', value: BigInt(status) })
  if (status >= 500) record.setSeverity(17, 'ERROR')
  else if (status >= 400) record.setSeverity(13, 'WARN')
  else record.setSeverity(9, 'INFO')
}

/** Apache writes `\"` and `\xhh`, nginx `\xhh`: bytes of UTF-8. */
function unescape(text: string): string {
  if (!text.includes('\\')) return text
  const bytes = text.replace(
    /\\x([0-9A-Fa-f]{2})|\\(.)|([^\\ -~]+)/g,
    (_, hex?: string, one?: string, wide?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
      if (wide !== undefined) return Buffer.from(wide).toString('latin1')
      return ({ n: '\n', t: '\t', r: '\r' } as Record<string, string>)[one!] ?? one!
    },
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
