import { isPostriderError, type PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { checkKeySetup, developmentKeys } from '@postrider/protocol/rln'
import type { Clock } from './core/clock.ts'
import { createEmitter, type Emitter } from './core/emitter.ts'
import { createFeeds } from './messages/feeds.ts'
import { createInbox } from './messages/inbox.ts'
import { createPublisher, type Publisher } from './messages/publish.ts'
import { createSubscriptions, type Subscriptions } from './messages/subscriptions.ts'
import { createProofChecker, type ProofChecker } from './messages/verify.ts'
import { openCountBook } from './nodes/counts.ts'
import { createDirectory } from './nodes/directory.ts'
import { createNodePool, type NodePool } from './nodes/pool.ts'
import type { PoolEvents } from './nodes/types.ts'
import type { Settings } from './options.ts'
import { createMember, type Member } from './rln/member.ts'
import { createMembership } from './rln/membership.ts'
import { createNodeSources } from './rln/sources.ts'
import { handlePushes } from './transport/filter.ts'
import { createLibp2pTransport } from './transport/libp2p.ts'
import { checkCluster, handleMetadata } from './transport/metadata.ts'
import type { Transport } from './transport/types.ts'
import type { ClientEvents } from './types.ts'
import { createMoney, type Money } from './wallet/money.ts'
import type { Payments } from './wallet/payments.ts'

/** The parts of one client, plugged together. */
export type Parts = {
  network: Network
  clock: Clock
  transport: Transport
  pool: NodePool
  money: Money
  payments: Payments
  member: Member
  publisher: Publisher
  subscriptions: Subscriptions
  checker: ProofChecker
  start(): Promise<void>
  stop(): Promise<void>
}

/** Reads the storage and builds the parts. The only place that knows all of them. */
export async function createParts(
  settings: Settings,
  events: Emitter<ClientEvents>,
  closing: AbortSignal,
): Promise<Parts> {
  const { network, storage, clock, random, reader, writer, prover: engine } = settings
  const warn = (error: PostriderError) => events.emit('warning', error)
  const transport = createLibp2pTransport(settings)
  const money = await createMoney({ ...settings, transport }, events)
  const { payments } = money
  const poolEvents = createPoolEvents(events, (node) => subscriptions.lost(node))
  const pool = createNodePool(
    {
      directory: createDirectory({ chain: reader, storage, clock }, network),
      transport,
      greet: (peerId, signal) => checkCluster(transport, peerId, network, signal),
      counts: await openCountBook(storage),
      scores: settings.scores,
      clock,
      random,
      events: poolEvents,
    },
    { size: settings.poolSize, preferred: payments.preferred },
  )
  const membership = createMembership(
    {
      chain: reader,
      storage,
      clock,
      sources: createNodeSources({ pool, transport, random }),
      onError: warn,
    },
    { deployBlock: network.deployBlock, confirmations: settings.membershipConfirmations },
  )
  const member = createMember(
    {
      ...{ network, storage, clock, random, engine, membership, reader, writer, closing },
      pay: money.payMembership,
      onProgress: (progress) => events.emit('prover:progress', progress),
      onError: warn,
    },
    settings,
  )
  const { members, sync } = membership
  const checker = createProofChecker({ engine, members, sync, follow: member.follow, network, clock })
  const shared = { network, pool, payments, transport, clock, random }
  const inbox = createInbox({
    network,
    checker,
    onInvalid: pool.distrust,
  })
  const feeds = createFeeds(shared, settings)
  const subscriptions = createSubscriptions({ ...shared, feeds, inbox, checker, onError: warn })
  handleMetadata(transport, network)
  handlePushes(transport, subscriptions.pushed)

  return {
    network,
    clock,
    transport,
    pool,
    money,
    payments,
    member,
    checker,
    subscriptions,
    publisher: createPublisher({ ...shared, prove: member.prove }),
    async start() {
      await checkKeys(settings, warn)
      // The wrong chain is a mistake; one that is away comes back.
      await reader.checkChain().catch((error) => {
        if (!isPostriderError(error) || !error.retryable) throw error
        warn(error)
      })
      await transport.start()
      await pool.start()
      await member.start()
      subscriptions.start()
    },
    async stop() {
      await subscriptions.stop()
      await payments.close()
      await pool.stop()
      await member.stop()
      await transport.stop()
    },
  }
}

/** Keys that prove nothing are refused before anything is sent; where they may be used, they are warned of. */
async function checkKeys(settings: Settings, warn: (error: PostriderError) => void): Promise<void> {
  const { prover, network, allowDevelopmentKeys } = settings
  const { chainId } = network
  const setup = await prover.setup()
  if (checkKeySetup(setup, { chainId, allowDevelopmentKeys }) === 'development') {
    warn(developmentKeys(setup, chainId))
  }
}

function createPoolEvents(
  events: Emitter<ClientEvents>,
  onLost: (node: PoolEvents['disconnected']) => void,
): Emitter<PoolEvents> {
  const pool = createEmitter<PoolEvents>()
  pool.on('connected', (node) => events.emit('node:connected', node))
  pool.on('failed', (failure) => events.emit('node:failed', failure))
  pool.on('disconnected', (node) => {
    events.emit('node:disconnected', node)
    onLost(node)
  })
  return pool
}
