/**
 * Takes payments. Two faults are built in, chosen by a hash of the order's key so that the same load meets the same
 * faults: some orders are refused with 503 several times over, some fail on a broken answer of the card issuer.
 */
import { createHash } from 'node:crypto'
import { HttpError, log, serve } from './service.js'

const keysMax = 1_000
const attemptsByKey = new Map()

/** A number from 0 to 999 that only depends on the key. */
const chanceOf = (key) => createHash('sha256').update(key).digest().readUInt32BE() % 1000

async function charge(request) {
  const { key, cents } = request.body
  const attempt = countAttempt(key)
  const chance = chanceOf(key)
  // 20 % of the orders, refused two to six times.
  if (chance < 200 && attempt <= 2 + (chance % 5)) throw new HttpError(503, 'too many payments in progress')
  const approval = askIssuer(key, chance)
  log.info(`${(cents / 100).toFixed(2)} EUR approved`, {
    'payment.attempt': attempt,
    'payment.approval': approval.code,
  })
  attemptsByKey.delete(key)
  return approval
}

function countAttempt(key) {
  const attempt = (attemptsByKey.get(key) ?? 0) + 1
  attemptsByKey.set(key, attempt)
  if (attemptsByKey.size > keysMax) attemptsByKey.delete(attemptsByKey.keys().next().value)
  return attempt
}

/** The issuer's answer is cut short for 8 % of the orders, and nobody expected that. */
function askIssuer(key, chance) {
  const answer = JSON.stringify({ approved: true, code: createHash('sha1').update(key).digest('hex').slice(0, 8) })
  return JSON.parse(chance >= 200 && chance < 280 ? answer.slice(0, 12) : answer)
}

await serve({ 'POST /charges': charge })
