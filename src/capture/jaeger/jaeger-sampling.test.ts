import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { credentials, makeGenericClientConstructor, Metadata } from '@grpc/grpc-js'
import protobuf from 'protobufjs'
import { Receiving } from '../../../test/support/receiving.ts'
import { InputError } from '../../base/errors.ts'
import { startJaegerGrpc } from './jaeger-grpc.ts'
import { startJaegerSampling } from './jaeger-sampling.ts'
import { parseSamplingStrategies, strategyFor } from './sampling-strategies.ts'

const example = {
  service_strategies: [
    {
      service: 'foo',
      type: 'probabilistic',
      param: 0.8,
      operation_strategies: [{ operation: 'op1', type: 'probabilistic', param: 0.2 }],
    },
    { service: 'bar', type: 'ratelimiting', param: 5 },
    { service: 'plain', type: 'probabilistic', param: 0.4 },
  ],
  default_strategy: {
    type: 'probabilistic',
    param: 0.5,
    operation_strategies: [{ operation: '/health', type: 'probabilistic', param: 0 }],
  },
}
const operation = (name: string, samplingRate: number): object => ({
  operation: name,
  probabilisticSampling: { samplingRate },
})
const health = operation('/health', 0)
const perOperation = (defaultSamplingProbability: number, ...perOperationStrategies: object[]): object => ({
  defaultSamplingProbability,
  defaultLowerBoundTracesPerSecond: 0,
  perOperationStrategies,
  defaultUpperBoundTracesPerSecond: 0,
})

test("a file in Jaeger's format sets what each service samples", () => {
  const strategies = parseSamplingStrategies(JSON.stringify(example))
  assert.deepEqual(strategyFor(strategies, 'foo'), {
    strategyType: 'PROBABILISTIC',
    probabilisticSampling: { samplingRate: 0.8 },
    operationSampling: perOperation(0.8, operation('op1', 0.2), health),
  })
  assert.deepEqual(strategyFor(strategies, 'bar'), {
    strategyType: 'RATE_LIMITING',
    rateLimitingSampling: { maxTracesPerSecond: 5 },
  })
  assert.deepEqual(strategyFor(strategies, 'plain').operationSampling, perOperation(0.4, health))
  assert.deepEqual(strategyFor(strategies, 'unknown').operationSampling, perOperation(0.5, health))
  assert.equal(strategyFor(parseSamplingStrategies('{}'), 'x').probabilisticSampling?.samplingRate, 0.001)
})

const mistakes: readonly [text: string, message: RegExp][] = [
  ['{', /cannot read sampling strategies: /],
  ['[]', /expected object.* at the top/],
  ['{"default_strategy":{"type":"probabilistic","param":2}}', /at default_strategy\.param/],
  ['{"default_strategy":{"type":"sometimes","param":1}}', /at default_strategy\.type/],
  ['{"service_strategies":[{"type":"probabilistic","param":1}]}', /at service_strategies\.0\.service/],
  ['{"service_strategies":[{"service":"a","type":"ratelimiting","param":-1}]}', /at service_strategies\.0\.param/],
]
for (const [text, message] of mistakes) {
  test(`${text} is refused with the place of the mistake`, () => {
    assert.throws(
      () => parseSamplingStrategies(text),
      (error) => error instanceof InputError && message.test(error.message),
    )
  })
}

async function started(
  t: TestContext,
  file: string,
): Promise<{ ask: (path: string) => Promise<Response>; receiving: Receiving }> {
  const receiving = await Receiving.open()
  t.after(() => receiving.close())
  const address = await receiving.start((context) => startJaegerSampling(context, file))
  return { ask: (path) => fetch(`http://${address}${path}`), receiving }
}

test('without a file every service samples everything', async (t) => {
  const { ask } = await started(t, '')
  const everything = { strategyType: 'PROBABILISTIC', probabilisticSampling: { samplingRate: 1 } }
  for (const path of ['/sampling', '/api/sampling']) {
    const answer = await ask(`${path}?service=shop`)
    assert.match(answer.headers.get('content-type')!, /^application\/json/)
    assert.deepEqual(await answer.json(), everything)
  }
  assert.deepEqual(await (await ask('/?service=shop')).json(), { ...everything, strategyType: 0 })
  for (const path of ['/sampling', '/sampling?service=', '/sampling?service=a&service=b']) {
    const answer = await ask(path)
    assert.deepEqual([answer.status, await answer.text()], [400, "'service' parameter must be provided once"])
  }
})

test('the file may change while clew runs; a broken one is reported and the old strategies stay in force', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'clew-sampling-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'strategies.json')
  const write = (text: string): void => {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }
  const withDefault = (param: number): string => JSON.stringify({ default_strategy: { type: 'probabilistic', param } })
  write(withDefault(0.25))
  const { ask, receiving } = await started(t, file)
  const rate = async (): Promise<number> => {
    const answer = (await (await ask('/sampling?service=x')).json()) as {
      probabilisticSampling: { samplingRate: number }
    }
    return answer.probabilisticSampling.samplingRate
  }
  const counts = receiving.counters.of('jaeger/sampling', 'spans')
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    for (let round = 0; round < 100 && !(await holds()); round++) await sleep(50)
    assert.ok(await holds())
  }
  assert.equal(await rate(), 0.25)
  write(withDefault(0.75))
  await until(async () => (await rate()) === 0.75)
  write('{"default_strategy": oops')
  await until(async () => counts.lastError !== null)
  assert.match(counts.lastError!, /strategies\.json; the strategies before stay in force/)
  assert.equal(await rate(), 0.75)
  write(withDefault(0.5))
  await until(async () => (await rate()) === 0.5)
  assert.equal(counts.lastError, null)
})

test('a file that is broken or missing at start-up stops the start', async (t) => {
  await assert.rejects(
    started(t, '/nonexistent/strategies.json'),
    /cannot read \/nonexistent\/strategies\.json: ENOENT/,
  )
})

// proto/api_v2/sampling.proto
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Probabilistic { double samplingRate = 1; }
  message RateLimiting { int32 maxTracesPerSecond = 1; }
  message Operation { string operation = 1; Probabilistic probabilisticSampling = 2; }
  message PerOperation {
    double defaultSamplingProbability = 1; double defaultLowerBoundTracesPerSecond = 2;
    repeated Operation perOperationStrategies = 3; double defaultUpperBoundTracesPerSecond = 4;
  }
  enum Type { PROBABILISTIC = 0; RATE_LIMITING = 1; }
  message Answer {
    Type strategyType = 1; Probabilistic probabilisticSampling = 2; RateLimiting rateLimitingSampling = 3;
    PerOperation operationSampling = 4;
  }
  message Parameters { string serviceName = 1; }
`)

test('over gRPC each service gets the same strategy', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'clew-sampling-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'strategies.json')
  writeFileSync(file, JSON.stringify(example))
  const receiving = await Receiving.open()
  t.after(() => receiving.close())
  const address = await receiving.start((context) => startJaegerGrpc(context, file))
  const [asked, answered] = [root.lookupType('Parameters'), root.lookupType('Answer')]
  const definition = {
    path: '/jaeger.api_v2.SamplingManager/GetSamplingStrategy',
    requestStream: false,
    responseStream: false,
    requestSerialize: (service: string) => Buffer.from(asked.encode({ serviceName: service }).finish()),
    requestDeserialize: String,
    responseSerialize: (answer: string) => Buffer.from(answer),
    responseDeserialize: (bytes: Buffer) =>
      answered.toObject(answered.decode(bytes), { enums: String, defaults: false }),
  } as const
  const Sampling = makeGenericClientConstructor({ get: definition }, 'SamplingManager')
  const client = new Sampling(address, credentials.createInsecure())
  t.after(() => client.close())
  const ask = (service: string): Promise<object> =>
    new Promise((resolve, reject) => {
      client['get']!(service, new Metadata(), (error: Error | null, answer: object) =>
        error === null ? resolve(answer) : reject(error),
      )
    })
  // Zeros are left out on the wire.
  const health = { operation: '/health', probabilisticSampling: {} }
  assert.deepEqual(await ask('foo'), {
    probabilisticSampling: { samplingRate: 0.8 },
    operationSampling: {
      defaultSamplingProbability: 0.8,
      perOperationStrategies: [operation('op1', 0.2), health],
    },
  })
  assert.deepEqual(await ask('bar'), {
    strategyType: 'RATE_LIMITING',
    rateLimitingSampling: { maxTracesPerSecond: 5 },
  })
})
