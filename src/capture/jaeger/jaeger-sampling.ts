/**
 * Remote sampling for Jaeger clients (routes of Jaeger's remote sampling extension and, `/`, of its old agent):
 *   GET /sampling?service=NAME, GET /api/sampling?service=NAME    200, a SamplingStrategyResponse as JSON
 *   GET /?service=NAME                                            the same with a number for the strategy's type
 * A service that the file does not name gets the default strategy; `service` missing or given twice is 400. The file may
 * change while clew runs; a broken file is reported and the old strategies stay in force.
 */
import { InputError } from '../../base/errors.ts'
import { countFailure, type ProtocolCounts } from '../counters.ts'
import { startHttp, type HttpAnswer, type HttpRequest } from '../http/http-service.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'
import { strategyFor, type SamplingStrategies } from './sampling-strategies.ts'
import { listenWithStrategies, StrategyFile } from './strategy-file.ts'

const protocol = 'jaeger/sampling'

/** `file` '' means none. Rejects with `InputError` `bad_config` when it cannot be read at the start. */
export async function startJaegerSampling(context: ReceiverContext, file: string): Promise<Listener> {
  const counts = context.intake.counters.of(protocol, 'spans')
  const { logger } = context
  const strategies = new StrategyFile(file, {
    onChange: () => {
      counts.lastError = null
      logger.info({ file }, 'sampling strategies changed')
    },
    onProblem: (problem) => {
      counts.failed++
      counts.lastError = problem
      logger.warn({ file }, problem)
    },
  })
  const answer = (request: HttpRequest): HttpAnswer => answerSampling(request, strategies.current, counts)
  const paths = ['/sampling', '/api/sampling', '/']
  const routes = paths.map((path) => ({ method: 'GET' as const, path, answer }))
  const onFailure = (_path: string, error: unknown): void => countFailure(counts, error)
  return listenWithStrategies(strategies, () => startHttp({ name: protocol, routes, onFailure }, context))
}

function answerSampling(
  { path, query }: HttpRequest,
  strategies: SamplingStrategies,
  counts: ProtocolCounts,
): HttpAnswer {
  counts.requests++
  const [service, ...more] = query.getAll('service')
  if (service === undefined || service === '' || more.length > 0) {
    throw new InputError('bad_request', "'service' parameter must be provided once", { at: 'service' })
  }
  const strategy = strategyFor(strategies, service)
  const types = ['PROBABILISTIC', 'RATE_LIMITING']
  const body = path === '/' ? { ...strategy, strategyType: types.indexOf(strategy.strategyType) } : strategy
  return { status: 200, type: 'application/json', body: JSON.stringify(body) }
}
