/** The contract as OpenAPI 3.1, so that clients in any language can be made from it. */
import { z } from 'zod'
import { routes, type Route } from './contract.ts'
import { errorBody } from './contract/formats.ts'

type Json = Record<string, unknown>

export function openApi(version: string): Json {
  return {
    openapi: '3.1.0',
    info: { title: 'clew native API', version, description: 'Traces, events, nodes, clusters and the system.' },
    servers: [{ url: '/api/v1' }],
    paths: Object.fromEntries(
      (routes as readonly Route[]).map((route) => [openPath(route.path), { get: operation(route) }]),
    ),
  }
}

function openPath(path: string): string {
  return path.replaceAll(/:([A-Za-z]+)/g, '{$1}')
}

function operation(route: Route): Json {
  const inPath = [...route.path.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(route.parameters?.shape ?? {}).map(([name, schema]) => {
    const { description, ...rest } = z.toJSONSchema(schema as z.ZodType, { io: 'input' }) as Json
    delete rest['$schema']
    return { name, in: 'query', required: false, ...(description === undefined ? {} : { description }), schema: rest }
  })
  return {
    operationId: route.name,
    summary: route.summary,
    parameters: [...inPath, ...inQuery],
    responses: {
      200: answer('the answer', route.answer, route.streamed),
      400: answer('a parameter is wrong', errorBody),
      404: answer('nothing of that name', errorBody),
      503: answer('not possible now', errorBody),
    },
  }
}

function answer(description: string, schema: z.ZodType, type = 'application/json'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema) as Json
  return { description, content: { [type]: { schema: rest } } }
}
