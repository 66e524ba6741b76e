import { hash } from 'node:crypto'
import { type GossipSub, gossipsub, StrictNoSign, type TopicValidatorResult } from '@libp2p/gossipsub'
import type { MsgIdFn } from '@libp2p/gossipsub/types'
import { isPostriderError } from '@postrider/protocol/errors'
import { decode, pubsubTopic, pubsubTopicForContent, WakuMessageSchema } from '@postrider/protocol/wire'
import {
  GOSSIP_ADVERTISED_HEARTBEATS,
  GOSSIP_CACHE_HEARTBEATS,
  GOSSIP_D,
  GOSSIP_D_HIGH,
  GOSSIP_D_LAZY,
  GOSSIP_D_LOW,
  GOSSIP_D_OUT,
  GOSSIP_D_SCORE,
  GOSSIP_HEARTBEAT_MS,
  GOSSIP_PROTOCOLS,
  GOSSIP_RPC_LIMITS,
  GOSSIP_SEEN_TTL_MS,
  MAX_GOSSIP_OUTBOUND_BYTES,
  MAX_GOSSIP_RPC_BYTES,
  MAX_GOSSIP_STREAMS,
  MAX_TOPIC_BYTES_PEER,
  SCORE_BEHAVIOUR_THRESHOLD,
  SCORE_DECAY_INTERVAL_MS,
  SCORE_GOSSIP_THRESHOLD,
  SCORE_GRAYLIST_THRESHOLD,
  SCORE_INVALID_DECAY,
  SCORE_INVALID_WEIGHT,
  SCORE_IP_COLOCATION_THRESHOLD,
  SCORE_IP_COLOCATION_WEIGHT,
  SCORE_PUBLISH_THRESHOLD,
} from './constants.ts'
import { fastMessageId, hardenGossip } from './gossip-internals.ts'

/** What the gossip layer needs to know of the network. */
export type GossipNetwork = { clusterId: number; shardCount: number }

/** Gossipsub with the parts of its class that its exported interface leaves out. */
export type Gossip = GossipSub & {
  /** Ends the asynchronous validation of a message: forwards it, drops it, or drops it and punishes its senders. */
  reportMessageValidationResult(messageId: string, source: string, result: TopicValidatorResult): void
  getMeshPeers(topic: string): string[]
  getScore(peer: string): number
  /** Other peers that have sent a message since it arrived, as long as it is being validated. */
  otherSenders(messageId: string): string[]
  /** Makes a message on which no verdict could be given count as new when it comes again. */
  forget(message: { messageId: string; topic: string; data: Uint8Array }): void
  /** Peers to which an outbound gossip stream is open. */
  readonly streamsOutbound: ReadonlyMap<string, unknown>
}

export type GossipOptions = {
  network: GossipNetwork
  /** A peer's application score, zero or negative; taken as is. */
  peerScore(peer: string): number
}

type GossipComponents = Parameters<ReturnType<typeof gossipsub>>[0]

/** All shards of a network. */
export function shardTopics({ clusterId, shardCount }: GossipNetwork): string[] {
  return Array.from({ length: shardCount }, (_, shard) => pubsubTopic(clusterId, shard))
}

/**
 * The gossipsub service for `createLibp2p`.
 *
 * @throws PostriderError `RELAY_GOSSIP_INCOMPATIBLE` when the installed gossipsub lacks what we rely on
 */
export function createGossipService(options: GossipOptions): (components: GossipComponents) => Gossip {
  const { network } = options
  const topics = shardTopics(network)
  const factory = gossipsub({
    globalSignaturePolicy: StrictNoSign,
    asyncValidation: true,
    emitSelf: false,
    fallbackToFloodsub: false,
    floodPublish: true,
    doPX: false,
    allowPublishToZeroTopicPeers: true,
    // A message may arrive by gossip while the same one from lightpush is being verified.
    ignoreDuplicatePublishError: true,
    msgIdFn: createMessageId(network),
    fastMsgIdFn: ({ topic, data }) => fastMessageId(topic, data ?? EMPTY),
    allowedTopics: topics,
    D: GOSSIP_D,
    Dlo: GOSSIP_D_LOW,
    Dhi: GOSSIP_D_HIGH,
    Dscore: GOSSIP_D_SCORE,
    Dout: GOSSIP_D_OUT,
    Dlazy: GOSSIP_D_LAZY,
    heartbeatInterval: GOSSIP_HEARTBEAT_MS,
    mcacheLength: GOSSIP_CACHE_HEARTBEATS,
    mcacheGossip: GOSSIP_ADVERTISED_HEARTBEATS,
    seenTTL: GOSSIP_SEEN_TTL_MS,
    decodeRpcLimits: GOSSIP_RPC_LIMITS,
    maxInboundDataLength: MAX_GOSSIP_RPC_BYTES,
    maxOutboundBufferSize: MAX_GOSSIP_OUTBOUND_BYTES,
    maxInboundStreams: MAX_GOSSIP_STREAMS,
    maxOutboundStreams: MAX_GOSSIP_STREAMS,
    maxTopicBytesPerPeer: MAX_TOPIC_BYTES_PEER,
    // Never: gossipsub would send IDONTWANT before the message is validated. Whoever sends a message first and gets
    // it ignored (its budget is used up) could so keep the others from sending it at all. The accepted message,
    // forwarded, says the same.
    idontwantMinDataSize: Number.POSITIVE_INFINITY,
    scoreParams: scoreParams(topics, options.peerScore),
    scoreThresholds: {
      gossipThreshold: SCORE_GOSSIP_THRESHOLD,
      publishThreshold: SCORE_PUBLISH_THRESHOLD,
      graylistThreshold: SCORE_GRAYLIST_THRESHOLD,
      acceptPXThreshold: 0,
      opportunisticGraftThreshold: 0,
    },
  })
  return (components) => {
    const service = factory(components)
    // The option of this name is not read by version 17; the property is, at start.
    service.protocols = [...GOSSIP_PROTOCOLS]
    return hardenGossip(service, options)
  }
}

const EMPTY = new Uint8Array()

/**
 * The message id: SHA-256 of the bytes, as on Waku. A copy on a shard that its content topic does not belong to
 * gets an id of its own: the id names no topic, so with a common one an attacker could make the good copy a
 * "duplicate" by sending the same bytes on another shard first.
 */
export function createMessageId(network: GossipNetwork): MsgIdFn {
  return ({ topic, data }) => {
    const digest = sha256(data)
    return belongs(topic, data, network) ? digest : sha256(Buffer.concat([Buffer.from(`${topic}\0`), digest]))
  }
}

function belongs(topic: string, data: Uint8Array, network: GossipNetwork): boolean {
  try {
    return pubsubTopicForContent(decode(WakuMessageSchema, data).contentTopic, network) === topic
  } catch (error) {
    if (isPostriderError(error)) return false // not a message, or no content topic: nothing it could shadow
    throw error
  }
}

function sha256(data: Uint8Array): Uint8Array {
  return hash('sha256', data, 'buffer')
}

type ScoreParams = NonNullable<NonNullable<Parameters<typeof gossipsub>[0]>['scoreParams']>

// Only what can be proven counts against a peer: invalid messages, and protocol offences beyond what load explains.
// Rates of delivery depend on where a peer stands in the network, so their weights are zero.
function scoreParams(topics: readonly string[], peerScore: (peer: string) => number): ScoreParams {
  const topic = {
    topicWeight: 1,
    timeInMeshWeight: 0,
    timeInMeshQuantum: 1,
    timeInMeshCap: 1,
    firstMessageDeliveriesWeight: 0,
    firstMessageDeliveriesDecay: 0.5,
    firstMessageDeliveriesCap: 1,
    meshMessageDeliveriesWeight: 0,
    meshMessageDeliveriesDecay: 0.5,
    meshMessageDeliveriesCap: 1,
    meshMessageDeliveriesThreshold: 0,
    meshMessageDeliveriesWindow: 0,
    meshMessageDeliveriesActivation: SCORE_DECAY_INTERVAL_MS,
    meshFailurePenaltyWeight: 0,
    meshFailurePenaltyDecay: 0.5,
    invalidMessageDeliveriesWeight: SCORE_INVALID_WEIGHT,
    invalidMessageDeliveriesDecay: SCORE_INVALID_DECAY,
  }
  return {
    topics: Object.fromEntries(topics.map((name) => [name, topic])),
    appSpecificScore: peerScore,
    appSpecificWeight: 1,
    behaviourPenaltyThreshold: SCORE_BEHAVIOUR_THRESHOLD,
    decayInterval: SCORE_DECAY_INTERVAL_MS,
    IPColocationFactorThreshold: SCORE_IP_COLOCATION_THRESHOLD,
    IPColocationFactorWeight: SCORE_IP_COLOCATION_WEIGHT,
    IPColocationFactorWhitelist: new Set(['127.0.0.1', '::1']),
  }
}
