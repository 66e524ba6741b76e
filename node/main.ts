/**
 * The composition root: configuration → keys → parts → start, stop in reverse. The only module that knows them all.
 *
 * @module
 */
import { createApi, createIdempotencyStore, loadOrCreateTokens, type Views } from './api/index.ts'
import { type Clock, systemClock } from './core/clock.ts'
import { type Config, configPaths } from './core/config/index.ts'
import { type Database, openDatabase } from './core/db/index.ts'
import { ensurePrivateDir } from './core/files.ts'
import { createLifecycle, type Lifecycle } from './core/lifecycle.ts'
import { lockDataDir } from './core/lock.ts'
import { createLogger } from './core/logger.ts'
import { createMetrics } from './core/metrics.ts'
import { systemRandom } from './core/random.ts'
import { type NodeKeys, openKeys, openProvingKeys } from './keys.ts'
import { type Base, createParts, type Parts } from './parts.ts'
import { createViews } from './views/index.ts'

export type RunningNode = {
  readonly peerId: string
  /** Undefined if the API is off. */
  readonly apiUrl: string | undefined
  /** Resolves once everything has stopped. */
  readonly stopped: Promise<void>
  stop(): Promise<void>
}

export type StartOptions = {
  /** Unlocks the keystores. */
  password: string
  /** Aborting it stops the node in order. */
  signal?: AbortSignal
  /** The machine's clock by default; tests move it. */
  clock?: Clock
}

/**
 * Starts a node. It serves at once with what it has on disk; while the chain is away it relays and says in its
 * readiness what it waits for.
 *
 * @throws PostriderError of the first part that cannot start; what had started is stopped
 */
export async function startNode(
  config: Config,
  { password, signal, clock = systemClock }: StartOptions,
): Promise<RunningNode> {
  const base: Base = {
    clock,
    random: systemRandom,
    logger: createLogger({ level: config.log.level }),
    metrics: createMetrics({ process: true }),
  }
  await ensurePrivateDir(config.dataDir)
  const keys = await openKeys(config, password)
  const { artifacts, warning } = await openProvingKeys(config.zk, keys.network)
  if (warning) base.logger.warn({ code: warning.code, fix: warning.fix }, warning.message)
  const lock = lockDataDir(config.dataDir)
  const database = await openDatabase(configPaths(config).databaseFile)
  const lifecycle = createLifecycle(base)
  lifecycle.add('data folder', { stop: lock.release })
  lifecycle.add('database', { stop: () => database.close() })
  const parts = await createParts(base, config, keys, { database, artifacts })
  const views = createViews({ ...parts, base, config, keys, startedAtMs: clock.nowMs() })
  const api = config.api.enabled ? await createApiPart(base, config, { views, database }) : undefined
  addParts(lifecycle, parts, keys, config)
  if (api) lifecycle.add('api', api)
  await lifecycle.start()

  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  const stop = async () => {
    await lifecycle.stop()
    resolve()
  }
  if (signal?.aborted) await stop()
  else signal?.addEventListener('abort', () => void stop(), { once: true })
  return { peerId: parts.host.peerId, apiUrl: api?.url(), stopped, stop }
}

async function createApiPart(
  base: Base,
  config: Config,
  { views, database }: { views: Views; database: Database },
) {
  const tokens = await loadOrCreateTokens(config.dataDir, base.random)
  const idempotency = createIdempotencyStore(database.db, base.clock)
  return createApi({ ...base, views, tokens, idempotency }, config.api)
}

/** In this order they start; in reverse they stop. What serves comes after what it serves with. */
function addParts(lifecycle: Lifecycle, parts: Parts, keys: NodeKeys, config: Config): void {
  const { chain, host, relay } = parts
  lifecycle.add('chain client', { stop: () => chain.client.stop() })
  if (chain.membershipFile) lifecycle.add('membership file', chain.membershipFile)
  lifecycle.add('chain follower', chain.follower)
  lifecycle.add('transaction sender', chain.sender)
  lifecycle.add('operator actions', parts.actions)
  lifecycle.add('slasher', parts.slasher)
  lifecycle.add('proof verifier', parts.verifier)
  if (parts.own) lifecycle.add('prover', parts.own.pool)
  lifecycle.add('host', host)
  lifecycle.add('peers', createPeerTargets(parts, keys, config))
  lifecycle.add('metadata', parts.metadata)
  lifecycle.add('member list', parts.members)
  lifecycle.add('payments', parts.payments)
  if (parts.store) lifecycle.add('store', parts.store)
  if (parts.filter) lifecycle.add('filter', parts.filter)
  lifecycle.add('relay', relay)
  if (parts.lightpush) lifecycle.add('lightpush', parts.lightpush)
}

/** Keeps the host connected to bootstrap peers and to the relays of the registry. */
function createPeerTargets({ chain, host }: Parts, { network }: NodeKeys, { bootstrap }: Config) {
  const RELAY_SERVICE = 1
  let unsubscribe: (() => void) | undefined
  const follow = () => {
    const relays = chain.registry
      .nodes()
      .filter(({ services, peerId }) => (services & RELAY_SERVICE) !== 0 && peerId !== host.peerId)
    host.keeper.setTargets(
      'registry',
      relays.flatMap(({ endpoints, peerId }) =>
        endpoints.slice(0, 1).map((endpoint) => `${endpoint}/p2p/${peerId}`),
      ),
    )
  }
  return {
    start() {
      host.keeper.setTargets('bootstrap', [...network.bootstrap, ...bootstrap])
      unsubscribe = chain.registry.subscribe(follow)
      follow()
    },
    stop: () => unsubscribe?.(),
  }
}
