/** Services, nodes, clusters, the system and attributes. */
import { z } from 'zod'
import { counts, decimal } from './formats.ts'

export const servicesAnswer = z.object({
  services: z.array(
    z.object({
      name: z.string(),
      calls: counts.describe('SERVER and CONSUMER spans, or root spans of services that have none'),
      errors: counts,
      spans: counts,
      p50Nano: decimal,
      p95Nano: decimal,
      p99Nano: decimal,
      lastSeen: z.string(),
    }),
  ),
})
export type ServicesAnswer = z.infer<typeof servicesAnswer>

export const operationsAnswer = z.object({
  operations: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']),
      calls: counts,
      errors: counts,
      totalNano: decimal.describe('sum of durations'),
      p50Nano: decimal,
      p95Nano: decimal,
      p99Nano: decimal,
    }),
  ),
})
export type OperationsAnswer = z.infer<typeof operationsAnswer>

export const dependenciesAnswer = z.object({
  edges: z.array(
    z.object({
      parent: z.string(),
      child: z.string(),
      childType: z.enum(['service', 'database', 'messaging', 'external']),
      calls: counts,
      errors: counts,
      p50Nano: decimal,
      p95Nano: decimal,
    }),
  ),
})
export type DependenciesAnswer = z.infer<typeof dependenciesAnswer>

const nodeItem = z.object({
  id: z.string(),
  type: z.enum(['service_instance', 'host', 'pod', 'database', 'messaging', 'external']),
  service: z.string(),
  address: z.string(),
  version: z.string(),
  cluster: z.string(),
  firstSeen: z.string(),
  lastSeen: z.string(),
  state: z.enum(['up', 'stale', 'failing']),
  spans: counts,
  events: counts,
  errors: counts,
})
export const nodesAnswer = z.object({ nodes: z.array(nodeItem) })
export type NodesAnswer = z.infer<typeof nodesAnswer>

export const clustersAnswer = z.object({
  clusters: z.array(
    z.object({
      name: z.string(),
      type: z.enum(['k8s_cluster', 'deployment_environment', 'service_namespace', 'none']),
      size: counts.describe('nodes'),
      state: z.enum(['up', 'degraded', 'stale']),
      services: z.array(z.string()),
    }),
  ),
})
export type ClustersAnswer = z.infer<typeof clustersAnswer>

export const systemAnswer = z.object({
  architecture: z.object({ services: counts, nodes: counts, clusters: counts, edges: counts }),
  components: z.array(z.object({ name: z.string(), type: z.string(), state: z.enum(['up', 'stale', 'failing']) })),
  state: z.enum(['up', 'degraded', 'empty']),
})
export type SystemAnswer = z.infer<typeof systemAnswer>

export const attributeKeysAnswer = z.object({
  keys: z.array(
    z.object({ key: z.string(), scope: z.enum(['span', 'resource', 'event']), type: z.string(), spans: counts }),
  ),
})
export type AttributeKeysAnswer = z.infer<typeof attributeKeysAnswer>
export const attributeValuesAnswer = z.object({ values: z.array(z.object({ value: z.string(), spans: counts })) })
export type AttributeValuesAnswer = z.infer<typeof attributeValuesAnswer>
