/**
 * Everything that speaks to the chain, put together: views that follow it, and a queue that sends to it. The views
 * are rebuilt from disk at start, so that the node serves while no RPC endpoint answers.
 *
 * @module
 */
import type { Network } from '@postrider/protocol/network'
import type { Address } from '@postrider/protocol/wire'
import type { LocalAccount } from 'viem'
import type { Clock } from '../core/clock.ts'
import type { Db } from '../core/db/index.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { createChainSync } from './chain-sync.ts'
import { type Channel, createChannels, readChannelStates } from './channels.ts'
import { type ChainClient, createChainClient } from './client.ts'
import { createRpcSource } from './events.ts'
import { createFollower, type Follower, maxHeadAgeMs, networkFingerprint } from './follower.ts'
import { createHeadWatch } from './heads.ts'
import { createDbLogStore } from './log-store.ts'
import { createMembership, readMembershipState } from './membership.ts'
import { createMembershipFile } from './membership-file.ts'
import { createRegistry } from './registry.ts'
import { createSender, type Sender } from './sender.ts'
import { createSettlements } from './settlements.ts'
import { createSlashings } from './slashings.ts'
import { createDbTransactionStore } from './transaction-store.ts'
import type { ChainSource } from './types.ts'
import { createVotedClient } from './voted-client.ts'

export type ChainOptions = {
  network: Network
  /** Replaces the network file's endpoints unless empty. */
  rpcUrls: readonly string[]
  /** The node's hot key: sends transactions, and is the payee of channels. */
  account: LocalAccount
  confirmations: number
  maxBlockRange: number
  pollMs: number
  /** Without an answer for this long the views are stale, seconds. */
  lagSeconds: number
  /**
   * With a newest block older than this the views are stale, seconds; 0: blocks may be rare. Absent:
   * `DEFAULT_MAX_HEAD_AGE_SECONDS`, and 0 on a local chain.
   */
  maxHeadAgeSeconds?: number | undefined
  /** Wei. */
  maxFeePerGas: bigint
  /** Where the members' tree is kept between runs; absent: it is built anew at each start. */
  membersFile?: string
}

/** Parts in the order in which they start; they stop in reverse. */
export type Chain = ReturnType<typeof createChain>

export function createChain(
  components: { clock: Clock; logger: Logger; metrics: Metrics; db: Db },
  options: ChainOptions,
) {
  const { clock, logger, metrics, db } = components
  const { network, account, confirmations, pollMs } = options
  const client = createChainClient(components, { network, rpcUrls: options.rpcUrls })
  const auditor = createVotedClient(client, components)
  const membership = createMembership({ contractState: readMembershipState(auditor) })
  const registry = createRegistry()
  const channels = createChannels({ contractState: readChannelStates(auditor) })
  const settlements = createSettlements()
  const slashings = createSlashings()
  const parts = [membership, registry, channels, settlements, slashings]
  const sync = createChainSync(
    {
      clock,
      logger,
      metrics,
      source: comparedHeads(
        components,
        checkedFirst(
          createRpcSource(client, {
            channelsOf: { payee: account.address, isOurs: (id) => channels.view.channel(id) !== undefined },
          }),
          client.check,
        ),
        { client, confirmations },
      ),
      store: createDbLogStore(db),
      projections: parts.map(({ projection }) => projection),
    },
    {
      fingerprint: `${networkFingerprint(network)}/${account.address.toLowerCase()}`,
      deployBlock: network.deployBlock,
      confirmations,
      maxBlockRange: options.maxBlockRange,
    },
  )
  const { membersFile } = options
  const follower = createFollower(
    { clock, logger, metrics, sync },
    {
      pollMs,
      lagMs: options.lagSeconds * 1000,
      maxHeadAgeMs: maxHeadAgeMs(network.chainId, options.maxHeadAgeSeconds),
    },
  )
  const transactions = createDbTransactionStore(db, clock.nowMs)
  const sender = createSender(
    { client, clock, logger, metrics, store: transactions },
    { account, confirmations, pollMs, maxFeePerGas: options.maxFeePerGas },
  )
  return {
    client,
    membershipFile:
      membersFile === undefined
        ? undefined
        : createMembershipFile({ logger, metrics, membership }, { path: membersFile }),
    follower,
    sender,
    transactions,
    membership: membership.view,
    registry: registry.view,
    channels: channels.view,
    settlements: settlements.view,
    slashings: slashings.view,
    escrow: createEscrowView(channels.view, follower),
  }
}

/** A source that is asked for nothing before the network file was found to fit the chain. */
function checkedFirst(source: ChainSource, check: () => Promise<void>): ChainSource {
  let checked = false
  return {
    ...source,
    async head() {
      if (!checked) await check()
      checked = true
      return source.head()
    },
  }
}

/** A source whose newest block is the one that most endpoints stand behind, where there are several. */
function comparedHeads(
  components: { clock: Clock; metrics: Metrics },
  source: ChainSource,
  { client, confirmations }: { client: ChainClient; confirmations: number },
): ChainSource {
  const { endpoints } = client
  const suspect = endpoints.suspect
  if (endpoints.size < 2) return { ...source, suspect }
  const watch = createHeadWatch({ ...components, endpoints }, { confirmations })
  return { ...source, suspect, head: async () => (await watch.look()) ?? source.head() }
}

/** The channels as the payment engine reads them. */
export function createEscrowView(
  channels: {
    channel(channelId: Address): Channel | undefined
    subscribe(listener: (id: Address) => void): () => void
  },
  follower: Pick<Follower, 'status'>,
) {
  return {
    channel: async (channelId: Address): Promise<Channel | undefined> => channels.channel(channelId),
    isFresh: (): boolean => follower.status().fresh,
    subscribe: channels.subscribe,
  }
}

export type { Follower, Sender }
