/**
 * Every option of clew, declared once (how the rest follows from a row: base/option.ts). To add an option, add a row;
 * then generate docs/configuration.md again (`node src/main.ts config --docs`).
 */
import { InputError } from '../base/errors.ts'
import type { ConfigOf, OptionSection } from '../base/option.ts'
import { loadOptions } from '../base/option-sources.ts'
import { printSizeExact } from '../base/size.ts'
import type { LoadedOptions, OptionInput } from '../base/option-sources.ts'
import { captureSections } from './capture-options.ts'
import { hostNames, webOrigins } from './list-items.ts'

export const optionSections = [
  {
    title: 'Place and addresses',
    options: [
      {
        name: 'data',
        type: 'path',
        default: '$XDG_DATA_HOME/clew',
        help: 'folder of the store and the log; without XDG_DATA_HOME this is ~/.local/share/clew',
      },
      { name: 'host', type: 'string', default: '127.0.0.1', help: 'address that all listeners bind to' },
      { name: 'ui.port', type: 'port', default: '7070', help: 'port of the web UI and the native API' },
      {
        name: 'allowed_hosts',
        type: 'list',
        items: hostNames,
        default: '',
        zero: 'none',
        help: 'names that HTTP requests may call this server by, besides those of the address it binds to, such as clew.example; .example stands for every name below it, * for any',
      },
      {
        name: 'cors.origins',
        type: 'list',
        items: webOrigins,
        default: '',
        zero: 'none',
        help: 'web origins that may send to the receivers over HTTP from a browser, such as https://shop.example; * for any',
      },
    ],
  },
  ...captureSections,
  {
    title: 'Log and durability',
    options: [
      {
        name: 'durability.sync',
        type: 'bool',
        default: 'true',
        help: 'sync the log and the store to disk before success is answered; false survives a killed process, not a power cut',
      },
      {
        name: 'log.max_bytes',
        type: 'bytes',
        default: '2GiB',
        min: '16MiB',
        help: 'bound of the log on disk; while it is reached, receivers tell clients to retry',
      },
      {
        name: 'log.held_by',
        type: 'list',
        default: 'store',
        zero: 'none',
        help: 'sinks whose records the log keeps until they are stored; any other loses the oldest at log.max_bytes, and clients are not told to wait for it',
      },
      {
        name: 'log.segment_bytes',
        type: 'bytes',
        default: '64MiB',
        min: '1MiB',
        max: '1GiB',
        help: 'size at which a new file of the log is begun',
      },
      {
        name: 'log.retry_window',
        type: 'duration',
        default: '5m',
        max: '1h',
        zero: 'never',
        help: 'how long a request is remembered, so that a client that sends it again does not store it twice',
      },
      {
        name: 'fresh.spans',
        type: 'int',
        default: '1000000',
        unit: 'spans',
        min: '1000',
        max: '100000000',
        zero: 'none',
        help: 'newest spans whose traces are answered from the log, at once and without the store; 25 to 80 bytes of memory each',
      },
      {
        name: 'memory.batches_in_flight',
        type: 'bytes',
        default: '96MiB',
        min: '1MiB',
        help: 'decoded batches kept for the writer; past it they are read back from the log',
      },
    ],
  },
  {
    title: 'Store',
    options: [
      {
        name: 'writer.block_rows',
        type: 'int',
        default: '100000',
        unit: 'rows',
        min: '100',
        max: '1000000',
        help: 'rows of a block at which it is inserted',
      },
      {
        name: 'writer.block_wait',
        type: 'duration',
        default: '1s',
        min: '10ms',
        max: '1m',
        help: 'time after which a block is inserted even if it is small',
      },
      {
        name: 'store.memory',
        type: 'bytes',
        default: '1200MiB',
        min: '256MiB',
        help: 'memory cap of the engine, as it counts it itself',
      },
      {
        name: 'store.readers',
        type: 'int',
        default: '2',
        unit: 'sessions',
        min: '1',
        max: '64',
        help: 'queries that run at once; further ones wait',
      },
      {
        name: 'rollup.interval',
        type: 'duration',
        default: '10s',
        min: '1s',
        max: '1h',
        help: 'pause between rollup runs',
      },
    ],
  },
  {
    title: 'Queries',
    options: [
      {
        name: 'query.timeout',
        type: 'duration',
        default: '30s',
        min: '100ms',
        max: '1h',
        help: 'time after which a query is stopped',
      },
      {
        name: 'query.waiting',
        type: 'int',
        default: '200',
        unit: 'queries',
        min: '1',
        max: '10000',
        help: 'queries that wait for one of store.readers; further ones are told to come back',
      },
      { name: 'query.memory', type: 'bytes', default: '512MiB', min: '32MiB', help: 'memory one query may use' },
    ],
  },
  {
    title: 'Retention',
    options: [
      {
        name: 'retention.spans',
        type: 'duration',
        default: '7d',
        min: '1h',
        zero: 'no limit',
        help: 'age at which spans are dropped',
      },
      {
        name: 'retention.events',
        type: 'duration',
        default: '7d',
        min: '1h',
        zero: 'no limit',
        help: 'age at which events are dropped',
      },
      {
        name: 'retention.max_bytes',
        type: 'bytes',
        default: '0',
        min: '64MiB',
        zero: 'no limit',
        help: 'size of the store at which its oldest data is dropped',
      },
      {
        name: 'disk.min_free',
        type: 'bytes',
        default: '512MiB',
        zero: 'no reserve',
        help: 'free disk space below which new data is refused until there is room again',
      },
    ],
  },
  {
    title: 'Process',
    options: [
      {
        name: 'shutdown.timeout',
        type: 'duration',
        default: '5s',
        min: '100ms',
        max: '5m',
        help: 'time an orderly stop may take before the process ends anyway; what was acknowledged is in the log',
      },
      {
        name: 'log_level',
        type: 'enum',
        values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
        default: 'info',
        help: 'lowest level of log lines on stderr',
      },
      {
        name: 'log_format',
        type: 'enum',
        values: ['auto', 'pretty', 'json'],
        default: 'auto',
        help: 'form of log lines; auto is pretty on a terminal and json elsewhere',
      },
    ],
  },
] as const satisfies readonly OptionSection[]

/** Fully typed, with units in the names: `config.otlp.http.port`, `config.query.timeoutMs`, `config.store.memoryBytes`. */
export type Config = ConfigOf<typeof optionSections>

/** Environment variables are `CLEW_` and the option's name. */
export const environmentPrefix = 'CLEW_'

/** The sinks of the log. The log would wait for ever for a sink that does not exist. */
const sinkNames: readonly string[] = ['store']

/** Variables with the prefix that are not options: read by the command line itself. */
export const reservedVariables = ['CLEW_CONFIG', 'CLEW_URL', 'CLEW_OTLP_URL'] as const

/**
 * The configuration in force and where each value came from: flag, else environment, else file, else default. The file is
 * `--config`, else `CLEW_CONFIG`, else the first that exists of `clew.yaml` in the data folder and in the user's
 * configuration folder (`$XDG_CONFIG_HOME/clew/clew.yaml`).
 *
 * Throws `InputError` (`bad_usage` when all faults are flags, else `bad_config`) that lists every fault, one per line.
 */
export function loadConfig(input: OptionInput = {}): LoadedOptions<Config> {
  const table = { sections: optionSections, environmentPrefix, reservedVariables, fileName: 'clew.yaml' }
  const loaded = loadOptions<Config>(table, input)
  const { log } = loaded.config
  const unknown = log.heldBy.find((name) => !sinkNames.includes(name))
  if (unknown !== undefined) {
    const place = loaded.origins['log.held_by']?.place || 'log.held_by'
    const message = `cannot use "${unknown}" for log.held_by (${place}): expected names of sinks, which are ${sinkNames.join(', ')}`
    throw new InputError('bad_config', message, { at: place })
  }
  // The log drops whole segments, so with fewer than two it could never make room while it is written to.
  if (log.segmentBytes * 2 > log.maxBytes) {
    const place = loaded.origins['log.segment_bytes']?.place || 'log.segment_bytes'
    const [segment, bound] = [printSizeExact(log.segmentBytes), printSizeExact(log.maxBytes)]
    const message = `cannot use "${segment}" for log.segment_bytes (${place}): expected at most half of log.max_bytes, ${bound}`
    throw new InputError('bad_config', message, { at: place })
  }
  return loaded
}
