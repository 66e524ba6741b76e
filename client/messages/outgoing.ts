import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { MAX_CLOCK_GAP_SECONDS } from '@postrider/protocol/rln'
import {
  createWakuMessage,
  encode,
  MAX_MESSAGE_BYTES,
  MAX_META_BYTES,
  msToTimestamp,
  pubsubTopic,
  shardForContentTopic,
  type WakuMessage,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import type { OutgoingMessage } from './types.ts'

/** Where a content topic travels. */
export type Place = { pubsubTopic: string; shard: number }

/** Bytes of the encoded proof with its field tag: 256 of Groth16, four field elements, the epoch. */
const PROOF_FIELD_BYTES = 420

/** @throws PostriderError `WIRE_CONTENT_TOPIC_INVALID` */
export function placeOf(contentTopic: string, { clusterId, shardCount }: Network): Place {
  const shard = shardForContentTopic(contentTopic, shardCount)
  return { shard, pubsubTopic: pubsubTopic(clusterId, shard) }
}

/**
 * Size of a message on the wire with its proof, bytes.
 *
 * @throws PostriderError `WIRE_META_TOO_LARGE`, `WIRE_TOO_LARGE`
 */
export function checkSize(message: OutgoingMessage, nowMs: number): number {
  const meta = message.meta?.length ?? 0
  if (meta > MAX_META_BYTES) throw new PostriderError('WIRE_META_TOO_LARGE', { data: { bytes: meta } })
  const built = toWakuMessage(message, msToTimestamp(nowMs))
  const bytes = encode(WakuMessageSchema, built).length + PROOF_FIELD_BYTES
  if (bytes > MAX_MESSAGE_BYTES) throw new PostriderError('WIRE_TOO_LARGE', { data: { bytes } })
  return bytes
}

export function toWakuMessage(message: OutgoingMessage, timestamp: bigint): WakuMessage {
  const { contentTopic, payload, ephemeral, meta } = message
  return createWakuMessage({ contentTopic, payload, ephemeral: ephemeral || undefined, meta, timestamp })
}

/** How far the last timestamp may lie before the clock, ns: nodes take no message that is further ahead. */
const MAX_AHEAD_NS = BigInt(MAX_CLOCK_GAP_SECONDS) * 1_000_000_000n

/**
 * Timestamps that do not repeat, so that equal messages have different hashes. After a clock was far ahead and is set
 * right they follow it again.
 */
export function createStamper(clock: Clock): () => bigint {
  let last = 0n
  return () => {
    const now = msToTimestamp(clock.nowMs())
    last = now > last || last - now > MAX_AHEAD_NS ? now : last + 1n
    return last
  }
}
