import {
  createMembershipTree,
  identityFromSecret,
  leafOfChange,
  type MembershipChange,
  type PrecheckContext,
} from '../../rln/index.ts'
import {
  createWakuMessage,
  msToTimestamp,
  pubsubTopic,
  utf8ToBytes,
  type WakuMessage,
} from '../../wire/index.ts'

/** The network of the vectors. */
export const NETWORK = { networkId: 'postrider-vectors', clusterId: 66, shardCount: 8, epochSeconds: 600 }

/** The clock of the vectors: 2024-11-22T10:06:40Z, 400 s into an epoch. */
export const NOW_MS = 1_732_270_000_000

export const CONTENT_TOPIC = '/myapp/1/chat/proto'
/** The shard of CONTENT_TOPIC. */
export const TOPIC = pubsubTopic(NETWORK.clusterId, 0)

/** The member that sends, its limit and its place. */
export const SENDER = identityFromSecret(0x0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1fn)
export const LIMIT = 3
export const SENDER_INDEX = 1

/** The history of the group: four join, one leaves. */
export const CHANGES: readonly MembershipChange[] = [
  { index: 0, commitment: identityFromSecret(11n).commitment, limit: 1 },
  { index: SENDER_INDEX, commitment: SENDER.commitment, limit: LIMIT },
  { index: 2, commitment: identityFromSecret(12n).commitment, limit: 65_535 },
  { index: 3, commitment: identityFromSecret(13n).commitment, limit: 600 },
  { index: 2, commitment: 0n, limit: 0 },
]

export const tree = createMembershipTree()
for (const change of CHANGES) tree.set(change.index, leafOfChange(change))

export const CONTEXT: PrecheckContext = {
  ...NETWORK,
  nowMs: NOW_MS,
  rootKnown: (root) => root === tree.root(),
}

export function chat(text: string, change: Partial<WakuMessage> = {}): WakuMessage {
  const message = createWakuMessage({
    payload: utf8ToBytes(text),
    contentTopic: CONTENT_TOPIC,
    timestamp: msToTimestamp(NOW_MS),
    version: 0,
  })
  return { ...message, ...change }
}
