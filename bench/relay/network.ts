// What every process of the relay benchmark knows: one network, one shard, one member, one moment.
import {
  createMembershipTree,
  identityFromSecret,
  MAX_MESSAGE_LIMIT,
  rateCommitment,
} from '@postrider/protocol/rln'
import { pubsubTopic } from '@postrider/protocol/wire'

export const NETWORK = { networkId: 'bench', clusterId: 66, shardCount: 1, epochSeconds: 600 } as const
export const TOPIC = pubsubTopic(NETWORK.clusterId, 0)
export const CONTENT_TOPIC = '/bench/1/relay/proto'

/** The moment at which the messages are valid; the validating node's clock is set to it. */
export const MESSAGE_TIME_MS = 1_790_000_000_000

export const LIMIT = MAX_MESSAGE_LIMIT
export const IDENTITY = identityFromSecret(20_260_727n)
const INDEX = 5

/** The group: this one member. */
export function createGroup() {
  const tree = createMembershipTree()
  tree.set(INDEX, rateCommitment(IDENTITY.commitment, LIMIT))
  return { root: tree.root(), path: tree.path(INDEX) }
}
