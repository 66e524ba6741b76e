import { z } from 'zod'
import { timestamp } from './common.ts'

export const subsystemState = z.enum(['starting', 'ok', 'degraded', 'down', 'stopped'])

export const subsystem = z
  .object({
    name: z.string(),
    state: subsystemState,
    required: z.boolean().describe('The node is not ready unless this is ok or degraded'),
    since: timestamp.describe('Since when it is in this state'),
    reason: z.string().nullable(),
    code: z.string().nullable().describe('A code of docs/errors.md'),
    fix: z.string().nullable(),
  })
  .meta({ id: 'Subsystem' })

export const livez = z.object({ alive: z.literal(true) }).meta({ id: 'Liveness' })

export const readyz = z
  .object({
    ready: z.boolean(),
    waitingFor: z.array(z.string()).describe('Names of required subsystems that are not up'),
  })
  .meta({ id: 'Readiness' })

export const healthReport = z
  .object({
    status: z.enum(['ok', 'degraded', 'not-ready']),
    ready: z.boolean(),
    subsystems: z.array(subsystem),
  })
  .meta({ id: 'Health' })
