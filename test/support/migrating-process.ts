/**
 * A migration that kills its own process: node migrating-process.ts DIR STATEMENT MOMENT, where the number of a statement
 * counts from 1 and the moment is `before`, `in` or `after` it.
 */
import type { Engine } from '../../src/storage/clickhouse/engine.ts'
import { migrate } from '../../src/storage/clickhouse/schema/migrate.ts'
import { openEngine } from './temporary-store.ts'

const [dir = '', number = '', moment = ''] = process.argv.slice(2)
const engine = openEngine(dir)
let statements = 0

const die = (): void => void process.kill(process.pid, 'SIGKILL')

const execute: Engine['execute'] = async (sql, options) => {
  const isChosen = ++statements === Number(number)
  if (isChosen && moment === 'before') die()
  const work = engine.execute(sql, options)
  if (isChosen && moment === 'in') setImmediate(die)
  await work
  if (isChosen) die()
}
const watched = new Proxy(engine, {
  get: (target, name) =>
    name === 'execute' ? execute : (Reflect.get(target, name) as (...given: unknown[]) => unknown).bind(target),
})

await migrate(watched, { sync: false })
await engine.close()
console.log(statements)
