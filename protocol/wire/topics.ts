import { sha256 } from '@noble/hashes/sha2.js'
import { PostriderError } from '../errors/index.ts'
import { bytesToBigInt, utf8ToBytes } from './bytes.ts'
import { MAX_CLUSTER_ID, MAX_SHARD_COUNT, MAX_TOPIC_CHARS } from './constants.ts'

export type Shard = { clusterId: number; shard: number }

export type ContentTopic = { application: string; version: string; name: string; encoding: string }

const PUBSUB_TOPIC = /^\/waku\/2\/rs\/(0|[1-9]\d{0,4})\/(0|[1-9]\d{0,3})$/

/** `/waku/2/rs/<cluster>/<shard>`. */
export function pubsubTopic(clusterId: number, shard: number): string {
  return `/waku/2/rs/${clusterId}/${shard}`
}

/** The cluster and shard, or undefined for any other form: leading zeros and out-of-range numbers included. */
export function parsePubsubTopic(topic: string): Shard | undefined {
  const match = PUBSUB_TOPIC.exec(topic)
  if (match === null) return undefined
  const clusterId = Number(match[1])
  const shard = Number(match[2])
  return clusterId <= MAX_CLUSTER_ID && shard < MAX_SHARD_COUNT ? { clusterId, shard } : undefined
}

/**
 * Parts of `/application/version/name/encoding`, or of the same after `/0` (the only generation there is).
 * Undefined for any other form.
 */
export function parseContentTopic(topic: string): ContentTopic | undefined {
  if (topic.length > MAX_TOPIC_CHARS) return undefined
  const [before, ...rest] = topic.split('/')
  const parts = rest.length === 5 && rest[0] === '0' ? rest.slice(1) : rest
  if (before !== '' || parts.length !== 4) return undefined
  const [application, version, name, encoding] = parts
  return application && version && name && encoding ? { application, version, name, encoding } : undefined
}

/**
 * Autosharding of relay sharding: the last 8 bytes of SHA-256(application ‖ version), big-endian, modulo the
 * number of shards.
 * @throws WIRE_CONTENT_TOPIC_INVALID
 */
export function shardForContentTopic(topic: string, shardCount: number): number {
  const parts = parseContentTopic(topic)
  if (parts === undefined) throw new PostriderError('WIRE_CONTENT_TOPIC_INVALID')
  const digest = sha256(utf8ToBytes(parts.application + parts.version))
  return Number(bytesToBigInt(digest.subarray(24)) % BigInt(shardCount))
}

/**
 * The pubsub topic on which a content topic travels.
 * @throws WIRE_CONTENT_TOPIC_INVALID
 */
export function pubsubTopicForContent(
  topic: string,
  network: { clusterId: number; shardCount: number },
): string {
  return pubsubTopic(network.clusterId, shardForContentTopic(topic, network.shardCount))
}
