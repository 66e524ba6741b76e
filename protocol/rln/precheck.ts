import { type ErrorCode, isPostriderError } from '../errors/index.ts'
import {
  decode,
  hasCanonicalSize,
  MAX_MESSAGE_BYTES,
  MAX_META_BYTES,
  messageHash,
  parseContentTopic,
  parsePubsubTopic,
  shardForContentTopic,
  timestampToMs,
  type WakuMessage,
  WakuMessageSchema,
} from '../wire/index.ts'
import { MAX_CLOCK_GAP_SECONDS } from './constants.ts'
import { decodeRlnProof, type RlnProof } from './proof.ts'
import { epochAt, externalNullifier, signalX } from './signal.ts'
import { type Verdict, verdictFor } from './verdict.ts'

/** What a node knows when it checks a message. */
export type PrecheckContext = {
  /** The node's clock, Unix milliseconds. */
  nowMs: number
  epochSeconds: number
  networkId: string
  clusterId: number
  shardCount: number
  rootKnown(root: bigint): boolean
}

/** A message that passed every check but the nullifier's and the proof's. */
export type CheckedMessage = {
  ok: true
  message: WakuMessage
  proof: RlnProof
  /** The deterministic message hash, 32 bytes. */
  hash: Uint8Array
  externalNullifier: bigint
}

export type PrecheckResult = CheckedMessage | { ok: false; verdict: Verdict }

/**
 * Every check of a message that needs neither the nullifier log nor the verifier, cheapest first:
 * size, decoding, topic and shard, timestamp, epoch, field elements, x, root. Never throws.
 *
 * @param data - the serialized WakuMessage as received
 */
export function precheck(data: Uint8Array, pubsubTopic: string, context: PrecheckContext): PrecheckResult {
  try {
    const message = decodeMessage(data)
    if (typeof message === 'string') return refuse(message)
    const fault = topicFault(pubsubTopic, message, context) ?? timeFault(message, context)
    if (fault !== undefined) return refuse(fault)
    return checkProof(message, pubsubTopic, context)
  } catch (error) {
    if (isPostriderError(error)) return refuse(error.code)
    throw error
  }
}

function refuse(code: ErrorCode): PrecheckResult {
  return { ok: false, verdict: verdictFor(code) }
}

function decodeMessage(data: Uint8Array): WakuMessage | ErrorCode {
  if (data.length > MAX_MESSAGE_BYTES) return 'WIRE_TOO_LARGE'
  const message = decode(WakuMessageSchema, data)
  if ((message.meta?.length ?? 0) > MAX_META_BYTES) return 'WIRE_META_TOO_LARGE'
  return hasCanonicalSize(WakuMessageSchema, data, message) ? message : 'WIRE_NOT_CANONICAL'
}

function topicFault(
  pubsubTopic: string,
  message: WakuMessage,
  { clusterId, shardCount }: PrecheckContext,
): ErrorCode | undefined {
  const place = parsePubsubTopic(pubsubTopic)
  if (place === undefined || place.clusterId !== clusterId || place.shard >= shardCount)
    return 'WIRE_TOPIC_INVALID'
  if (parseContentTopic(message.contentTopic) === undefined) return 'WIRE_CONTENT_TOPIC_INVALID'
  return shardForContentTopic(message.contentTopic, shardCount) === place.shard
    ? undefined
    : 'WIRE_SHARD_MISMATCH'
}

function timeFault(message: WakuMessage, { nowMs }: PrecheckContext): ErrorCode | undefined {
  const gap = Math.abs(timestampToMs(message.timestamp ?? 0n) - nowMs)
  return gap <= MAX_CLOCK_GAP_SECONDS * 1000 ? undefined : 'RLN_TIMESTAMP_OUTSIDE_WINDOW'
}

function checkProof(message: WakuMessage, pubsubTopic: string, context: PrecheckContext): PrecheckResult {
  if (message.rateLimitProof === undefined) return refuse('RLN_PROOF_MISSING')
  const proof = decodeRlnProof(message.rateLimitProof)
  const { epoch } = proof
  if (epoch !== epochAt(timestampToMs(message.timestamp ?? 0n), context.epochSeconds))
    return refuse('RLN_EPOCH_MISMATCH')
  if (proof.x === 0n) return refuse('RLN_X_ZERO')
  const hash = messageHash(pubsubTopic, message)
  if (proof.x !== signalX(pubsubTopic, message, hash)) return refuse('RLN_SIGNAL_MISMATCH')
  if (!context.rootKnown(proof.root)) return refuse('RLN_UNKNOWN_ROOT')
  return {
    ok: true,
    message,
    proof,
    hash,
    externalNullifier: externalNullifier({ epoch, networkId: context.networkId, pubsubTopic }),
  }
}
