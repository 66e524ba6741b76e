import fastifySwagger from '@fastify/swagger'
import { type errorTable, isPostriderError, PostriderError } from '@postrider/protocol/errors'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { createRateLimiter } from '../core/rate-limiter.ts'
import {
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_BODY_BYTES,
  MAX_CONNECTIONS,
  MAX_PARAM_CHARS,
  RATE_BURST,
  RATE_PER_SECOND,
  REQUEST_TIMEOUT_MS,
} from './constants.ts'
import { createOnce } from './idempotency.ts'
import { openApiOptions } from './openapi.ts'
import { PROBLEM_MEDIA_TYPE, toProblem } from './problem.ts'
import { registerActionRoutes } from './routes/actions.ts'
import { registerEventRoutes } from './routes/events.ts'
import { registerHealthRoutes } from './routes/health.ts'
import { registerMetaRoutes } from './routes/meta.ts'
import { registerMoneyRoutes } from './routes/money.ts'
import { registerNetworkRoutes } from './routes/network.ts'
import { registerRlnRoutes } from './routes/rln.ts'
import { registerStakeRoutes } from './routes/stake.ts'
import type { App, RouteContext } from './routes/types.ts'
import { findToken } from './tokens.ts'
import type { ApiComponents, ApiToken } from './types.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; undefined on open routes without a token. */
    token: ApiToken | undefined
  }
  interface FastifyContextConfig {
    /** What the route needs; `open` needs no token. A route without it needs `operate`. */
    scope?: 'open' | 'read' | 'operate'
  }
}

/** The HTTP application without its socket. `context.hub` serves the event stream. */
export async function createApp(components: ApiComponents, hub: RouteContext['hub']): Promise<App> {
  const { clock, random } = components
  const app: App = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    genReqId: () => Buffer.from(random.bytes(8)).toString('hex'),
  }).withTypeProvider<ZodTypeProvider>()
  app.server.maxConnections = MAX_CONNECTIONS
  app.removeContentTypeParser('text/plain') // JSON is the only body
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.decorateRequest('token', undefined)
  await app.register(fastifySwagger, openApiOptions)

  guardRequests(app, components)
  answerErrors(app, components)
  measureRequests(app, components)

  const once = createOnce({ store: components.idempotency, clock })
  const context: RouteContext = { ...components, hub, once }
  registerHealthRoutes(app, context)
  registerMetaRoutes(app)
  registerNetworkRoutes(app, context)
  registerStakeRoutes(app, context)
  registerMoneyRoutes(app, context)
  registerActionRoutes(app, context)
  registerRlnRoutes(app, context)
  registerEventRoutes(app, context)
  return app
}

/** Who asks, how often, and whether the token allows it; before anything of the body is read. */
function guardRequests(app: App, { clock, tokens }: ApiComponents): void {
  const limiter = createRateLimiter(clock, { perSecond: RATE_PER_SECOND, burst: RATE_BURST })

  app.addHook('onRequest', async (request) => {
    const secret = bearer(request)
    request.token = secret === undefined ? undefined : findToken(tokens, secret, clock.nowMs())
    const key = request.token ? `token ${request.token.name}` : `address ${request.ip}`
    if (!limiter.take(key)) {
      const retryAfterSeconds = Math.ceil(limiter.waitMs(key) / 1000)
      throw new PostriderError('API_RATE_LIMITED', { data: { retryAfterSeconds } })
    }
    const scope = request.is404 ? 'open' : (request.routeOptions.config.scope ?? 'operate')
    if (scope === 'open') return
    if (!request.token) throw new PostriderError('API_UNAUTHORIZED')
    if (!request.token.scopes.includes(scope)) throw new PostriderError('API_FORBIDDEN', { data: { scope } })
  })
}

function bearer(request: FastifyRequest): string | undefined {
  return /^Bearer ([\w-]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1]
}

function answerErrors(app: App, { logger, metrics }: ApiComponents): void {
  const answer = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const problem = toProblem(thrown, request.id)
    metrics.error(problem.code as keyof typeof errorTable)
    const fields = { err: thrown, requestId: request.id, route: request.routeOptions.url, code: problem.code }
    if (problem.status >= 500) logger.error(fields, 'request failed')
    else logger.debug(fields, 'request refused')
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
    if (isPostriderError(thrown) && typeof thrown.data.retryAfterSeconds === 'number') {
      reply.header('retry-after', thrown.data.retryAfterSeconds)
    }
    return reply.code(problem.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(problem))
  }
  app.setErrorHandler(answer)
  app.setNotFoundHandler((request, reply) => answer(new PostriderError('API_NOT_FOUND'), request, reply))
}

function measureRequests(app: App, { metrics }: ApiComponents): void {
  const seconds = metrics.histogram('api_request_seconds', {
    help: 'Time to answer an API request',
    labels: ['method', 'route', 'status'],
  })
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id)
    reply.header('cache-control', 'no-store')
    reply.header('x-content-type-options', 'nosniff')
    reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  })
  app.addHook('onResponse', async (request, reply) => {
    // The route's pattern, never the path: ids would make a new series each.
    const route = request.routeOptions.url ?? 'none'
    seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
  })
}
