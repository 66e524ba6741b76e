import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { EventHub } from '../event-hub.ts'
import type { Once } from '../idempotency.ts'
import type { ApiComponents } from '../types.ts'

export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

/** What routes work with. */
export type RouteContext = ApiComponents & { hub: EventHub; once: Once }
