import {
  createMembershipTree,
  encodeRlnProof,
  epochAt,
  externalNullifier,
  identityFromSecret,
  PROOF_BYTES,
  type PrecheckContext,
  type RlnProof,
  rateCommitment,
  share,
  signalX,
} from '../rln/index.ts'
import {
  createWakuMessage,
  encode,
  pubsubTopic,
  timestampToMs,
  type WakuMessage,
  WakuMessageSchema,
} from '../wire/index.ts'

/** A network, one member of it and a clock, all fixed. */
export const NOW_MS = 1_732_270_000_000
export const LIMIT = 20
export const member = identityFromSecret(0x1234_5678_9abc_def0n)

const tree = createMembershipTree()
tree.set(3, rateCommitment(member.commitment, LIMIT))
export const root = tree.root()

export const context: PrecheckContext = {
  nowMs: NOW_MS,
  epochSeconds: 600,
  networkId: 'postrider-test',
  clusterId: 66,
  shardCount: 8,
  rootKnown: (candidate) => candidate === root,
}

/** The shard of CONTENT_TOPIC. */
export const TOPIC = pubsubTopic(66, 0)
export const CONTENT_TOPIC = '/myapp/1/chat/proto'

export function chatMessage(text: string, timestamp = BigInt(NOW_MS) * 1_000_000n): WakuMessage {
  return createWakuMessage({
    payload: Uint8Array.from(text, (c) => c.charCodeAt(0)),
    contentTopic: CONTENT_TOPIC,
    timestamp,
  })
}

/** A proof whose values fit together; its Groth16 part is zeros, which no verifier accepts. */
export function unprovenProof(message: WakuMessage, messageId = 0, topic = TOPIC): RlnProof {
  const epoch = epochAt(timestampToMs(message.timestamp ?? 0n), context.epochSeconds)
  const scope = externalNullifier({ epoch, networkId: context.networkId, pubsubTopic: topic })
  const x = signalX(topic, message)
  return { proof: new Uint8Array(PROOF_BYTES), root, epoch, x, ...share(member.secret, scope, messageId, x) }
}

/** The message's bytes with a proof, whose values `change` may spoil. */
export function withProof(message: WakuMessage, change: Partial<RlnProof> = {}, messageId = 0): Uint8Array {
  const rateLimitProof = encodeRlnProof({ ...unprovenProof(message, messageId), ...change })
  return encode(WakuMessageSchema, { ...message, rateLimitProof })
}
