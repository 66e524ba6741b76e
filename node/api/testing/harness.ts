import { createHash } from 'node:crypto'
import { type LogFields, type Logger, silentLogger } from '../../core/logger.ts'
import { createMetrics } from '../../core/metrics.ts'
import { createManualClock } from '../../core/testing/manual-clock.ts'
import { createSeededRandom } from '../../core/testing/seeded-random.ts'
import { createApp } from '../app.ts'
import { createEventHub } from '../event-hub.ts'
import {
  type ApiComponents,
  type ApiToken,
  createApi,
  type IdempotencyRecord,
  type IdempotencyStore,
  type Scope,
} from '../index.ts'
import { createFakeViews } from './fake-views.ts'

export const READ_TOKEN = 'ptr_read-token-for-tests'
export const OPERATE_TOKEN = 'ptr_operate-token-for-tests'

const tokenOf = (name: string, secret: string, scopes: Scope[]): ApiToken => ({
  name,
  scopes,
  sha256: Uint8Array.from(createHash('sha256').update(secret).digest()),
})

type IdempotencyOf = (clock: ReturnType<typeof createManualClock>) => IdempotencyStore

/** Answers in memory. */
const inMemory: IdempotencyOf = () => {
  const answers = new Map<string, IdempotencyRecord>()
  return { get: (key) => answers.get(key), set: (key, record) => void answers.set(key, record) }
}

/** Components over fake views and a clock that moves when told. */
export function createTestComponents(idempotencyOf = inMemory) {
  const clock = createManualClock()
  const fake = createFakeViews()
  const errors: LogFields[] = []
  const logger: Logger = { ...silentLogger, error: (fields) => void errors.push(fields) }
  const components: ApiComponents = {
    views: fake.views,
    clock,
    random: createSeededRandom('api'),
    logger,
    metrics: createMetrics(),
    idempotency: idempotencyOf(clock),
    tokens: [
      tokenOf('viewer', READ_TOKEN, ['read']),
      tokenOf('operator', OPERATE_TOKEN, ['read', 'operate']),
    ],
  }
  return { clock, fake, errors, components }
}

/** The application without a socket, for `inject`. */
export async function createTestApp(idempotencyOf?: IdempotencyOf) {
  const test = createTestComponents(idempotencyOf)
  const { clock, random, views } = test.components
  const hub = createEventHub({ clock, random, source: views.events })
  const app = await createApp(test.components, hub)
  await app.ready()
  return { ...test, app, hub }
}

/** The API on a free loopback port. */
export async function startTestApi() {
  const test = createTestComponents()
  const api = createApi(test.components, { port: 0 })
  await api.start()
  return { ...test, api }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
