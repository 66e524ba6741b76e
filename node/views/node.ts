import { parsePubsubTopic } from '@postrider/protocol/wire'
import type { NodeInfo, NodeView } from '../api/types.ts'
import type { RegisteredNode } from '../chain/registry.ts'
import type { ChainReadings } from './chain-readings.ts'
import type { NodeParts } from './types.ts'
import { VERSION } from './version.ts'

type NodeViewParts = Pick<NodeParts, 'host' | 'chain' | 'relay' | 'config' | 'keys' | 'startedAtMs'>

const SERVICES = ['relay', 'store', 'lightpush', 'filter'] as const

export function createNodeView(
  parts: NodeViewParts,
  { operator }: Pick<ChainReadings, 'operator'>,
): NodeView {
  const { host, chain, config, startedAtMs } = parts
  const account = chain.sender.address

  return {
    async info() {
      const state = await operator.get()
      const registered = chain.registry.node(account)
      return {
        version: VERSION,
        peerId: host.peerId,
        addresses: host.addresses(),
        startedAt: startedAtMs,
        services: SERVICES.filter((service) => config.services[service]),
        network: networkOf(parts),
        operator: {
          account,
          signer: registered?.signer ?? account,
          withdrawal: registered?.withdrawal ?? null,
          pendingWithdrawal: registered?.pendingWithdrawal ?? null,
          payout: state?.payout ?? null,
        },
        stake: state && isRead(chain) ? stakeOf(registered, state.minimumStake) : null,
        prices: { ...config.prices, freeRequests: config.freeRequestsPerEpoch },
      }
    },
  }
}

function networkOf({ keys, relay }: Pick<NodeParts, 'keys' | 'relay'>): NodeInfo['network'] {
  const { name, chainId, networkId, clusterId, shardCount, epochSeconds, contracts } = keys.network
  const shards = relay.topics.flatMap((topic) => parsePubsubTopic(topic)?.shard ?? [])
  return { name, chainId, networkId, clusterId, shardCount, shards, epochSeconds, contracts }
}

function isRead({ follower }: NodeParts['chain']): boolean {
  return follower.status().block !== undefined
}

/** The stake as the registry has it; `none` for an operator that is not registered. */
export function stakeOf(node: RegisteredNode | undefined, minimum: bigint): NonNullable<NodeInfo['stake']> {
  if (!node) return { state: 'none', staked: 0n, minimum, locks: 0, withdrawableAt: null }
  const { stake: staked, locks, exitAt } = node
  const state = exitAt !== undefined ? 'exiting' : staked < minimum ? 'below-minimum' : 'active'
  return { state, staked, minimum, locks, withdrawableAt: exitAt === undefined ? null : exitAt * 1000 }
}
