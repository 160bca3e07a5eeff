/** What a log does when files may not grow past a limit (`ulimit -f`, at most 512 kB): `node log-with-limited-files.ts DIR`. */
import assert from 'node:assert/strict'
import { openLog, readAll, record } from '../support/temporary-log.ts'

const dir = process.argv[2] ?? ''
const messages: string[] = []
let refused = 0
let log = await openLog(dir, { sync: true, onProblem: ({ message }) => messages.push(message) })
for (let i = 0; i < 20; i++) {
  await log.append(record(`small ${i}`))
  if (i !== 5 && i !== 12) continue
  await assert.rejects(log.append(record(Buffer.alloc(600_000, i))), { code: 'io_failed' })
  refused++
}
await log.close()
log = await openLog(dir)
const kept = (await readAll(log)).map(({ position, body }) => `${position} ${Buffer.from(body).toString()}`)
await log.close()
assert.deepEqual(
  kept,
  Array.from({ length: 20 }, (_, i) => `${i} small ${i}`),
)
assert.ok(messages.length === refused && messages.every((message) => message.includes('EFBIG')), messages.join('\n'))
console.log(`EFBIG: ${refused} records refused, ${kept.length} kept`)
