import {
  attachProof,
  epochAt,
  externalNullifier,
  type Identity,
  identityFromSecret,
  type RlnProof,
  share,
  signalX,
} from '@postrider/protocol/rln'
import {
  createWakuMessage,
  encode,
  msToTimestamp,
  pubsubTopicForContent,
  utf8ToBytes,
  type WakuMessage,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import { TEST_NETWORK } from '../../core/p2p/testing/hosts.ts'

/** The parameters of the test network that messages are bound to. */
export const network = { ...TEST_NETWORK, networkId: 'test', epochSeconds: 10 } as const

/** The root that `knownRoots` knows. */
export const ROOT = 42n

export const CONTENT_TOPIC = '/chat/1/room/proto'

export const topicOf = (contentTopic: string): string => pubsubTopicForContent(contentTopic, network)

export const TOPIC = topicOf(CONTENT_TOPIC)

/** A member whose proofs the test verifier accepts. */
export const createMember = (secret: bigint): Identity => identityFromSecret(secret)

export type TestMessage = {
  member: Identity
  messageId?: number
  text?: string
  contentTopic?: string
  nowMs: number
  root?: bigint
  /** What the test verifier says. */
  valid?: boolean
  /** Another value makes another proof of the same statement. */
  randomness?: number
  change?: { message?: Partial<WakuMessage>; proof?: Partial<RlnProof> }
}

/** A WakuMessage whose share and nullifier are real and whose Groth16 proof is a stand-in for the test verifier. */
export function buildMessage(options: TestMessage): WakuMessage {
  const { member, messageId = 0, text = 'hello', contentTopic = CONTENT_TOPIC, nowMs, root = ROOT } = options
  const bare = createWakuMessage({
    payload: utf8ToBytes(text),
    contentTopic,
    timestamp: msToTimestamp(nowMs),
  })
  const message = { ...bare, ...options.change?.message }
  const pubsubTopic = topicOf(contentTopic)
  const epoch = epochAt(nowMs, network.epochSeconds)
  const x = signalX(pubsubTopic, message)
  const scope = externalNullifier({ epoch, networkId: network.networkId, pubsubTopic })
  const { y, nullifier } = share(member.secret, scope, messageId, x)
  const proof = standIn(options.valid ?? true, options.randomness ?? 0)
  return attachProof(message, { proof, root, epoch, x, y, nullifier, ...options.change?.proof })
}

/** The same, serialized. */
export function buildData(options: TestMessage): Uint8Array {
  return encode(WakuMessageSchema, buildMessage(options))
}

function standIn(valid: boolean, randomness: number): Uint8Array {
  const proof = new Uint8Array(256)
  proof[0] = valid ? 1 : 0
  proof[1] = randomness
  return proof
}

/** What the test verifier says of a stand-in. */
export const isValidStandIn = (proof: Uint8Array): boolean => proof[0] === 1
