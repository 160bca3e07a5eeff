/**
 * Sampling strategies for Jaeger clients, from a file in Jaeger's own format (jaegertracing.io, "Sampling", file-based):
 *   { default_strategy: strategy, service_strategies: [{ service } & strategy, …] }
 *   strategy = { type: probabilistic | ratelimiting · param: 0 … 1 | traces a second
 *              · operation_strategies: [{ operation · type: probabilistic · param }, …] }
 * Answers have the shape of jaeger-idl proto/api_v2/sampling.proto `SamplingStrategyResponse` as JSON.
 */
import { z } from 'zod'
import { InputError, messageOf } from '../../base/errors.ts'
import { bytesField, doubleField, message, textField, varintField } from '../../codec/otlp/wire-writer.ts'

export interface SamplingAnswer {
  strategyType: 'PROBABILISTIC' | 'RATE_LIMITING'
  probabilisticSampling?: { samplingRate: number }
  rateLimitingSampling?: { maxTracesPerSecond: number }
  operationSampling?: {
    defaultSamplingProbability: number
    defaultLowerBoundTracesPerSecond: number
    perOperationStrategies: OperationAnswer[]
    defaultUpperBoundTracesPerSecond: number
  }
}

interface OperationAnswer {
  operation: string
  probabilisticSampling: { samplingRate: number }
}

export interface SamplingStrategies {
  /** The strategy of a service that the file does not name. */
  readonly byDefault: SamplingAnswer
  readonly byService: ReadonlyMap<string, SamplingAnswer>
}

/** Without a file, everything is sampled. */
export const sampleEverything: SamplingStrategies = { byDefault: probabilistic(1), byService: new Map() }

/** Jaeger's default, for files without a default strategy. */
const defaultProbability = 0.001

const probability = z.number().min(0).max(1)
const kind = z.discriminatedUnion('type', [
  z.object({ type: z.literal('probabilistic'), param: probability }),
  z.object({ type: z.literal('ratelimiting'), param: z.number().min(0).max(1e6) }),
])
const operationStrategies = z
  .array(z.object({ operation: z.string(), type: z.literal('probabilistic'), param: probability }))
  .default([])
const strategy = kind.and(z.object({ operation_strategies: operationStrategies }))
const file = z.object({
  default_strategy: strategy.optional(),
  service_strategies: z.array(strategy.and(z.object({ service: z.string().min(1) }))).default([]),
})

type Strategy = z.infer<typeof strategy>

/** Throws `InputError` `bad_config` with the place of the first mistake. */
export function parseSamplingStrategies(text: string): SamplingStrategies {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new InputError('bad_config', `cannot read sampling strategies: ${messageOf(error)}`, { cause: error })
  }
  const parsed = file.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const at = issue?.path.join('.') || 'the top'
    throw new InputError('bad_config', `cannot read sampling strategies: ${issue?.message} at ${at}`, { at })
  }
  const { default_strategy: given, service_strategies: services } = parsed.data
  const byDefault = given === undefined ? probabilistic(defaultProbability) : answerOf(given)
  const byService = new Map(services.map((row) => [row.service, withDefaults(answerOf(row), byDefault)]))
  return { byDefault, byService }
}

export function strategyFor(strategies: SamplingStrategies, service: string): SamplingAnswer {
  return strategies.byService.get(service) ?? strategies.byDefault
}

/** As `SamplingStrategyResponse` in Protocol Buffers. */
export function encodeStrategy(answer: SamplingAnswer): Uint8Array {
  const { probabilisticSampling: share, rateLimitingSampling: rate, operationSampling: operations } = answer
  return message(
    varintField(1, answer.strategyType === 'RATE_LIMITING' ? 1 : 0),
    share === undefined ? noField : bytesField(2, doubleField(1, share.samplingRate)),
    rate === undefined ? noField : bytesField(3, varintField(1, rate.maxTracesPerSecond)),
    operations === undefined ? noField : bytesField(4, encodeOperations(operations)),
  )
}

function encodeOperations(operations: NonNullable<SamplingAnswer['operationSampling']>): Uint8Array {
  return message(
    doubleField(1, operations.defaultSamplingProbability),
    doubleField(2, operations.defaultLowerBoundTracesPerSecond),
    ...operations.perOperationStrategies.map(({ operation, probabilisticSampling }) =>
      bytesField(
        3,
        message(textField(1, operation), bytesField(2, doubleField(1, probabilisticSampling.samplingRate))),
      ),
    ),
    doubleField(4, operations.defaultUpperBoundTracesPerSecond),
  )
}

const noField = new Uint8Array(0)

function probabilistic(samplingRate: number): SamplingAnswer {
  return { strategyType: 'PROBABILISTIC', probabilisticSampling: { samplingRate } }
}

function answerOf({ type, param, operation_strategies: operations }: Strategy): SamplingAnswer {
  const answer: SamplingAnswer =
    type === 'probabilistic'
      ? probabilistic(param)
      : { strategyType: 'RATE_LIMITING', rateLimitingSampling: { maxTracesPerSecond: Math.trunc(param) } }
  if (operations.length > 0) {
    const perOperation = operations.map(({ operation, param: samplingRate }) => ({
      operation,
      probabilisticSampling: { samplingRate },
    }))
    answer.operationSampling = operationSampling(type === 'probabilistic' ? param : defaultProbability, perOperation)
  }
  return answer
}

function operationSampling(
  defaultSamplingProbability: number,
  perOperationStrategies: OperationAnswer[],
): NonNullable<SamplingAnswer['operationSampling']> {
  return {
    defaultSamplingProbability,
    defaultLowerBoundTracesPerSecond: 0,
    perOperationStrategies,
    defaultUpperBoundTracesPerSecond: 0,
  }
}

/** Operations of the default strategy apply to every service that does not override them. */
function withDefaults(answer: SamplingAnswer, byDefault: SamplingAnswer): SamplingAnswer {
  const common = byDefault.operationSampling?.perOperationStrategies
  if (common === undefined) return answer
  const own = answer.operationSampling
  if (own === undefined) {
    const rate = answer.probabilisticSampling?.samplingRate
    return rate === undefined ? answer : { ...answer, operationSampling: operationSampling(rate, common) }
  }
  const named = new Set(own.perOperationStrategies.map(({ operation }) => operation))
  const others = common.filter(({ operation }) => !named.has(operation))
  return {
    ...answer,
    operationSampling: { ...own, perOperationStrategies: [...own.perOperationStrategies, ...others] },
  }
}
