/**
 * The node's HTTP API for its operator: state, money, events, health and metrics under one OpenAPI description.
 * It shows what the composition root plugs in as views and knows no other part of the node.
 *
 * @module
 */
import { PostriderError } from '@postrider/protocol/errors'
import { createApp } from './app.ts'
import { API_HOST } from './constants.ts'
import { createEventHub } from './event-hub.ts'
import { createHealthWatch } from './health.ts'
import type { App } from './routes/types.ts'
import type { Api, ApiComponents, ApiOptions } from './types.ts'

export { API_HOST } from './constants.ts'
export { createIdempotencyStore } from './idempotency.ts'
export { decodeCursor, encodeCursor, paginate } from './page.ts'
export { loadOrCreateTokens, readTokenSecret, tokenFilePath } from './tokens.ts'
export type * from './types.ts'

/**
 * Creates the API. `start()` listens, `stop()` ends the event streams and waits for the requests under way.
 *
 * @throws from `start()`: PostriderError `API_LISTEN_FAILED`
 */
export function createApi(components: ApiComponents, options: ApiOptions = {}): Api {
  const { clock, random, views, metrics } = components
  const { host = API_HOST, port = 0 } = options
  const hub = createEventHub({ clock, random, source: views.events })
  const watch = createHealthWatch({ clock, view: views.health, publish: hub.publish })
  metrics.gauge('api_event_streams', {
    help: 'Open event streams',
    collect: (gauge) => gauge.set(hub.clients()),
  })
  let app: App | undefined
  let url = ''

  return {
    url: () => url,
    async start() {
      app = await createApp(components, hub)
      try {
        url = await app.listen({ host, port })
      } catch (cause) {
        throw new PostriderError('API_LISTEN_FAILED', {
          detail: `${host}:${port}`,
          data: { host, port },
          cause,
        })
      }
      hub.start()
      watch.start()
    },
    async stop() {
      watch.stop()
      hub.stop()
      await app?.close()
    },
  }
}
