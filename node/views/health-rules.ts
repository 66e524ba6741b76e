import type { ErrorCode } from '@postrider/protocol/errors'
import type { Subsystem } from '../api/types.ts'
import type { FollowerStatus } from '../chain/follower.ts'
import type { IngestStats } from '../store/index.ts'

/** What the parts say of themselves at one moment. */
export type Snapshot = {
  services: Readonly<Record<'relay' | 'store' | 'lightpush' | 'filter', boolean>>
  /** libp2p's own word. */
  host: string
  /** Peers that relay a shard of ours. */
  peers: number
  verifier: QueueStats
  /** Undefined without a membership. */
  prover: QueueStats | undefined
  /** Undefined without a store. */
  ingest: IngestStats | undefined
  /** synced: the views were equal to the chain once in this process. */
  chain: FollowerStatus & { synced: boolean }
  /** The node's own; undefined without an identity. */
  membership: { known: boolean; slashed: boolean } | undefined
  gasLow: boolean
}

type QueueStats = { waiting: number; limit: number; refusal: ErrorCode | undefined }

/** A subsystem's state; the code explains what is not ok. */
export type Finding = {
  name: string
  /** Without it clients must not be sent here. */
  required: boolean
  state: Subsystem['state']
  code?: ErrorCode
  /** Instead of the code's title. */
  reason?: string
}

type Judgement = Pick<Finding, 'state' | 'code' | 'reason'>

const OK: Judgement = { state: 'ok' }

/** Every subsystem that this node runs, in the order in which they build on each other. */
export function findings(snapshot: Snapshot): Finding[] {
  const { services, host } = snapshot
  const listening = host === 'started' ? OK : notListening(host)
  return [
    { name: 'chain', required: true, ...judgeChain(snapshot.chain) },
    { name: 'rln', required: true, ...judgeRln(snapshot) },
    { name: 'verifier', required: true, ...judgeQueue(snapshot.verifier) },
    ...(services.relay ? [{ name: 'relay', required: true, ...judgeRelay(snapshot, listening) }] : []),
    ...(snapshot.ingest
      ? [{ name: 'store', required: true, ...judgeStore(snapshot.ingest, listening) }]
      : []),
    ...(services.lightpush ? [{ name: 'lightpush', required: false, ...listening }] : []),
    ...(services.filter ? [{ name: 'filter', required: false, ...listening }] : []),
    { name: 'payments', required: false, ...judgePayments(snapshot) },
    { name: 'api', required: false, ...OK },
  ]
}

function notListening(host: string): Judgement {
  const state = host === 'stopping' || host === 'stopped' ? 'stopped' : 'starting'
  return { state, reason: 'the node is not listening' }
}

/**
 * While the chain is away the node relays on with what it knows; after `chain.lagSeconds` without an answer its
 * decisions about money would be guesses, so it is not ready.
 */
function judgeChain({ state, fresh, synced, lastError, block, head }: Snapshot['chain']): Judgement {
  switch (state) {
    case 'starting':
      return { state: 'starting', reason: 'the chain was not heard yet' }
    case 'syncing':
      return { state: synced ? 'degraded' : 'starting', reason: `reading block ${block ?? 0} of ${head}` }
    case 'away':
      return { state: fresh ? 'degraded' : 'down', code: lastError ?? 'CHAIN_UNREACHABLE' }
    case 'following':
      return fresh ? OK : { state: 'down', code: 'CHAIN_LAGGING' }
  }
}

/** Validation needs the members as of now, once; proofs for stock clients need a membership of the node's own. */
function judgeRln({ chain, membership, prover, services }: Snapshot): Judgement {
  if (!chain.synced) return { state: 'starting', reason: 'the members are not all read' }
  if (chain.state === 'away')
    return { state: 'degraded', code: 'CHAIN_UNREACHABLE', reason: 'new members are not known' }
  if (!services.lightpush) return OK
  if (!membership) return { state: 'degraded', code: 'LIGHT_MEMBERSHIP_MISSING' }
  if (membership.slashed) {
    return {
      state: 'degraded',
      code: 'LIGHT_MEMBERSHIP_MISSING',
      reason: "the node's own membership was slashed",
    }
  }
  if (!membership.known) return { state: 'degraded', code: 'CHAIN_MEMBER_UNKNOWN' }
  return prover?.refusal ? { state: 'degraded', code: prover.refusal } : OK
}

function judgeQueue({ waiting, limit, refusal }: QueueStats): Judgement {
  if (refusal === 'ZK_STOPPED') return { state: 'starting', code: refusal }
  if (refusal) return { state: 'down', code: refusal }
  return waiting >= limit ? { state: 'degraded', code: 'ZK_QUEUE_FULL' } : OK
}

function judgeRelay({ peers }: Snapshot, listening: Judgement): Judgement {
  if (listening.state !== 'ok') return listening
  return peers === 0 ? { state: 'degraded', code: 'RELAY_NO_PEERS' } : OK
}

function judgeStore({ failing, waiting, limit }: IngestStats, listening: Judgement): Judgement {
  if (listening.state !== 'ok') return listening
  if (failing) return { state: 'down', code: 'STORE_UNAVAILABLE' }
  return waiting >= limit
    ? { state: 'degraded', code: 'STORE_OVERLOADED', reason: 'the archive is slower than the network' }
    : OK
}

/** Free requests are served in any case; paid ones and claims need the chain, and claims need gas. */
function judgePayments({ chain, gasLow }: Snapshot): Judgement {
  if (!chain.fresh) return { state: 'degraded', code: 'PAYMENT_CHAIN_STALE' }
  return gasLow
    ? { state: 'degraded', code: 'CHAIN_INSUFFICIENT_GAS_MONEY', reason: 'too little ETH for a large claim' }
    : OK
}
