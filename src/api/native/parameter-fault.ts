/** Says in plain words what a wrong parameter should have been, from the schema that rejected it. */
import { z } from 'zod'
import { InputError } from '../../base/errors.ts'

interface Form {
  readonly type?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly enum?: readonly string[]
  readonly description?: string
}

/** `schema` rejected the value `given` of the parameter `name`. */
export function parameterFault(schema: z.ZodObject, name: string, given: unknown): InputError {
  const { properties } = z.toJSONSchema(schema) as { properties?: Record<string, Form> }
  const value = Array.isArray(given) ? `${given.length} values` : `"${String(given).slice(0, 100)}"`
  const message = `cannot use ${value} for parameter ${name}: expected ${expected(properties?.[name] ?? {}, given)}`
  return new InputError('bad_request', message, { at: name })
}

function expected({ type, minimum, maximum, enum: values, description }: Form, given: unknown): string {
  if (values !== undefined) return `one of ${values.join(', ')}`
  if (type === 'integer' || type === 'number') {
    return `a whole number${minimum === undefined ? '' : ` from ${minimum}`}${maximum === undefined ? '' : ` to ${maximum}`}`
  }
  if (Array.isArray(given)) return 'it once'
  return description ?? 'text'
}
