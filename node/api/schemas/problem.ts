import { z } from 'zod'

export const problem = z
  .object({
    type: z.string().describe('Where the code is explained: a path of this API'),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().optional(),
    instance: z.string().describe('Id of the request; the same as in the log'),
    code: z.string().describe('Stable; docs/errors.md'),
    retryable: z.boolean(),
    fix: z.string(),
    data: z.record(z.string(), z.unknown()).optional(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details with the stable code of docs/errors.md' })

export const errorExplanation = z
  .object({
    code: z.string(),
    title: z.string(),
    retryable: z.boolean(),
    fix: z.string(),
    http: z.number().int(),
  })
  .meta({ id: 'ErrorExplanation' })
