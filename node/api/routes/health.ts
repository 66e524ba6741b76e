import { report, waitingFor } from '../health.ts'
import { healthReport, livez, readyz } from '../schemas/health.ts'
import { answers, answersAs, doc } from './answers.ts'
import type { App, RouteContext } from './types.ts'

/**
 * Three questions with three answers: should the process be restarted (livez), should clients be sent here
 * (readyz), what is wrong (health). A chain outage makes a node not ready; restarting it would not help.
 */
export function registerHealthRoutes(app: App, { views, metrics }: RouteContext): void {
  app.get(
    '/livez',
    {
      config: { scope: 'open' },
      schema: {
        ...doc({
          id: 'isAlive',
          tag: 'health',
          summary: 'Whether the process answers; never asks the chain',
        }),
        response: answers(livez),
      },
    },
    async () => ({ alive: true }),
  )

  app.get(
    '/readyz',
    {
      config: { scope: 'open' },
      schema: {
        ...doc({ id: 'isReady', tag: 'health', summary: 'Whether clients should be sent to this node' }),
        response: {
          ...answers(readyz, 'Ready'),
          503: { description: 'Not ready', content: { 'application/json': { schema: readyz } } },
        },
      },
    },
    async (_request, reply) => {
      const missing = waitingFor(views.health.subsystems())
      return reply
        .code(missing.length === 0 ? 200 : 503)
        .send({ ready: missing.length === 0, waitingFor: missing })
    },
  )

  app.get(
    '/health',
    {
      config: { scope: 'read' },
      schema: {
        ...doc(
          { id: 'getHealth', tag: 'health', summary: 'Every subsystem: state, reason and what to do' },
          'read',
        ),
        response: answers(healthReport),
      },
    },
    async () => report(views.health.subsystems()),
  )

  app.get(
    '/metrics',
    {
      config: { scope: 'read' },
      schema: {
        ...doc({ id: 'getMetrics', tag: 'health', summary: 'Metrics in the Prometheus text format' }, 'read'),
        response: answersAs('text/plain', 'Metrics'),
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  )
}
