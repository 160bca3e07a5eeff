/**
 * Plain events over HTTP, on the port of OTLP (the grammar: codec/lines/lines.ts):
 *   POST /events  application/json, application/x-ndjson: JSON values; text/*: lines; without a type: by the first byte
 *   200 {"accepted": n, "rejected": m, "error"?: "what was wrong with the first rejected"}
 *   400 the same when every event was rejected
 *   4xx, 5xx {"error": {"message"}}, with Retry-After when the same request may succeed later
 * Content-Encoding may be gzip, zstd or deflate. Equal bodies are stored each time: a program that sends the same text
 * twice means it. Limits: those of OTLP over HTTP.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { InputError } from '../../base/errors.ts'
import type { Codec } from '../../codec/codec.ts'
import { eventsJson, eventsText } from '../../codec/lines/lines.ts'
import type { ByteBudget } from '../byte-budget.ts'
import { failureOf, retryAfterOf } from '../../base/failure.ts'
import { contentTypeOf } from '../../base/http/http-app.ts'
import { readHttpBody } from '../http/http-body.ts'
import type { ReceiverContext } from '../receiver.ts'

export const eventsPath = '/events'
const protocol = 'events/http'

export type EventsContext = Pick<ReceiverContext, 'intake' | 'logger'> & { readonly budget: ByteBudget }

export function addEventsRoute(app: FastifyInstance, context: EventsContext): void {
  app.post(eventsPath, (request, reply) => answer(context, request, reply))
}

async function answer(context: EventsContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { intake } = context
  const encoding = request.headers['content-encoding'] ?? ''
  let body: Buffer
  let codec: Codec
  try {
    body = await readHttpBody(request.raw, intake.bodyBytesMax, context.budget)
    codec = codecFor(contentTypeOf(request), encoding === '' ? body : undefined)
  } catch (error) {
    intake.counters.countUnread(protocol, 'events', error)
    return fail(context, error, reply)
  }
  try {
    const { accepted, rejected, rejectedReason } = await intake.take({
      protocol,
      codec,
      body,
      encoding,
      retryable: false,
    })
    const problem = rejected === 0 ? {} : { error: rejectedReason }
    return reply.code(accepted === 0 && rejected > 0 ? 400 : 200).send({ accepted, rejected, ...problem })
  } catch (error) {
    return fail(context, error, reply)
  }
}

function fail(context: EventsContext, error: unknown, reply: FastifyReply): FastifyReply {
  const failure = failureOf(error)
  if (failure.isBug) context.logger.error({ err: error }, 'cannot take posted events')
  const retryAfter = retryAfterOf(failure)
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  return reply.code(failure.httpStatus).send({ error: { message: failure.message } })
}

/**
 * A client that sends no type, or curl's type for forms, may still send JSON; `plain` is the body when not compressed.
 */
function codecFor(contentType: string | undefined, plain: Buffer | undefined): Codec {
  const type = contentType?.split(';', 1)[0]!.trim().toLowerCase() ?? ''
  if (/^application\/((x-)?ndjson|jsonl|json-?seq|(.+\+)?json|x-json-stream|jsonlines)$/.test(type)) return eventsJson
  if (type === '' || type === 'application/x-www-form-urlencoded' || type === 'application/octet-stream') {
    return plain !== undefined && /^\ufeff?\s*[[{]/.test(plain.toString('utf8', 0, 256)) ? eventsJson : eventsText
  }
  if (type.startsWith('text/')) return eventsText
  const message = `cannot read events as "${type}": send application/json, application/x-ndjson or text/plain`
  throw new InputError('unsupported_media_type', message)
}
