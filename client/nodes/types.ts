import type { PostriderError } from '@postrider/protocol/errors'
import type { Address } from '@postrider/protocol/wire'
import type { Prices } from '../chain/types.ts'

/** What a client asks of nodes. */
export type Service = 'lightpush' | 'filter' | 'store'

/** A registered node that this client could use. */
export type NodeInfo = {
  /** The account that runs the node and is paid. */
  operator: Address
  /** libp2p peer id. */
  peerId: string
  /** Multiaddrs without the peer id. */
  addresses: readonly string[]
  services: readonly Service[]
  prices: Prices
  /** Base units at stake. */
  stake: bigint
}

/** What this client saw of a node. */
export type NodeCounts = { served: number; failed: number; late: number }

/** How a request to a node ended. */
export type Outcome = keyof NodeCounts

/** A port for reputation: how good a node is, from 0 to 1. Choice is random in proportion to stake times score. */
export interface Scores {
  of(operator: Address, counts: NodeCounts): number
}

/** A node as the client sees it now. */
export type NodeView = NodeInfo & {
  connected: boolean
  counts: NodeCounts
  score: number
  /** Set when the node cheated and is not used any more. */
  distrusted?: string
}

export type PoolEvents = {
  connected: NodeInfo
  disconnected: NodeInfo
  failed: { node: NodeInfo; error: PostriderError }
}
