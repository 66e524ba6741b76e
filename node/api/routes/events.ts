import type { ServerResponse } from 'node:http'
import { z } from 'zod'
import type { EventSink } from '../event-hub.ts'
import { eventTypes, nodeEvent } from '../schemas/events.ts'
import { doc } from './answers.ts'
import type { App, RouteContext } from './types.ts'

const streamDescription =
  'Server-sent events. data is a NodeEvent with the time it was published (at). After a reconnect with ' +
  'Last-Event-ID, what was missed comes first; an event named reset says that it is gone and everything must be ' +
  'loaded afresh.'

/** Live changes as server-sent events. */
export function registerEventRoutes(app: App, { hub }: RouteContext): void {
  app.get(
    '/v1/events',
    {
      config: { scope: 'read' },
      schema: {
        ...doc({ id: 'streamEvents', tag: 'events', summary: 'Live changes' }, 'read'),
        headers: z.object({
          'last-event-id': z.string().max(100).optional().describe('Resume after this event'),
        }),
        querystring: z.object({
          types: z
            .string()
            .transform((list) => list.split(','))
            .pipe(z.array(z.enum(eventTypes)))
            .optional()
            .describe('Only these event types, separated by commas; all if absent'),
        }),
        response: {
          200: { description: streamDescription, content: { 'text/event-stream': { schema: nodeEvent } } },
        },
      },
    },
    (request, reply) => {
      const end = hub.open(sinkOf(reply.raw, { 'x-request-id': request.id }), {
        lastEventId: request.headers['last-event-id'],
        types: request.query.types,
      })
      reply.hijack()
      reply.raw.on('close', end)
    },
  )
}

function sinkOf(response: ServerResponse, headers: Record<string, string>): EventSink {
  return {
    write(frame) {
      if (!response.headersSent) {
        response.writeHead(200, {
          ...headers,
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no', // a buffering proxy would hold events back
        })
      }
      if (response.writable) response.write(frame)
    },
    bufferedBytes: () => response.writableLength,
    close: () => response.destroy(),
  }
}
