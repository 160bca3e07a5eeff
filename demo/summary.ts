/** What the demo tells the person who started it. */
import type { LoadCounts } from './load.ts'
import type { Service } from './services.ts'

export interface Fault {
  readonly what: string
  /** What the trace shows. */
  readonly shows: string
  /** The search that finds it, as the parameters of the web UI's URL. */
  readonly search: Readonly<Record<string, string>>
  /** Needs the services in Python. */
  readonly needsPython?: boolean
}

export const faults: readonly Fault[] = [
  {
    what: 'slow query',
    shows: 'SELECT products reviews takes all of the time',
    search: { service: 'catalog', operation: 'GET /search', min: '100ms' },
  },
  {
    what: 'N+1',
    shows: 'SELECT stock twenty times, one after the other',
    search: { service: 'catalog', operation: 'GET /products' },
  },
  {
    what: 'retry storm',
    shows: 'up to ten POST /charges for one checkout',
    search: { service: 'payment', attribute: 'http.response.status_code=503' },
  },
  {
    what: 'intermittent error',
    shows: 'a SyntaxError, as an exception event',
    search: { service: 'payment', attribute: 'http.response.status_code=500' },
  },
  {
    what: 'null in the data',
    shows: 'a TypeError for products without a discount',
    search: { service: 'cart', status: 'error' },
  },
  {
    what: 'missing key',
    shows: 'a KeyError in Python, and its log record',
    search: { service: 'accounts', status: 'error' },
    needsPython: true,
  },
  {
    what: 'work of a queue',
    shows: 'links to the requests that sent the orders',
    search: { service: 'fulfilment', operation: 'process orders.placed' },
  },
]

/** With `url` null the shop runs without clew, and the faults are named without links. */
export function printWelcome(url: string | null, services: readonly Service[]): string {
  const languages = new Set(services.map((service) => service.language))
  const found = faults.filter((fault) => !fault.needsPython || languages.has('Python'))
  return [
    '',
    url === null ? '  the shop runs without clew' : `  clew is at ${url}`,
    '',
    `  ${services.length} services in ${[...languages].join(' and ')}: ${services.map(({ name }) => name).join(', ')}`,
    '',
    '  Faults to find:',
    ...found.flatMap((fault) => [
      `  ${fault.what.padEnd(20)}${fault.shows}`,
      `  ${''.padEnd(20)}${url === null ? printSearch(fault) : linkOf(url, fault)}`,
    ]),
    '',
    '  Ctrl-C stops everything.',
    '',
  ].join('\n')
}

const linkOf = (url: string, { search }: Fault): string => `${url}/?${new URLSearchParams(search).toString()}`

const printSearch = ({ search }: Fault): string =>
  Object.entries(search)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')

/** `120 requests: 110 2xx, 10 5xx`. */
export function printCounts({ requests, answers, leftOut }: LoadCounts): string {
  const classes = Object.entries(answers)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${count} ${name === 'none' ? 'without an answer' : name}`)
  const late = leftOut === 0 ? '' : `; ${leftOut} left out, the shop is too slow for this rate`
  return `${requests} requests${classes.length === 0 ? '' : `: ${classes.join(', ')}`}${late}`
}
