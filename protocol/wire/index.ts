/**
 * What goes over the wire: Waku's messages and Postrider's own, their codec, the deterministic message hash,
 * topics and autosharding, and helpers for bytes. Specified in docs/protocol/message.md.
 *
 * @module
 */
export { create, type MessageInitShape } from '@bufbuild/protobuf'
export {
  type Address,
  bigIntToBytes,
  bytesToBigInt,
  bytesToHex,
  concatBytes,
  equalBytes,
  equalHex,
  type Hex,
  hexToBytes,
  utf8ToBytes,
} from './bytes.ts'
export { decode, encode, hasCanonicalSize } from './codec.ts'
export {
  MAX_CLUSTER_ID,
  MAX_MESSAGE_BYTES,
  MAX_META_BYTES,
  MAX_SHARD_COUNT,
  MAX_TOPIC_CHARS,
  NANOSECONDS_PER_MS,
  PROTOCOL_IDS,
} from './constants.ts'
export * from './generated/postrider_pb.ts'
export * from './generated/waku_pb.ts'
export {
  createWakuMessage,
  gossipMessageId,
  messageHash,
  msToTimestamp,
  timestampToMs,
  type WakuMessageInit,
} from './message.ts'
export {
  type ContentTopic,
  parseContentTopic,
  parsePubsubTopic,
  pubsubTopic,
  pubsubTopicForContent,
  type Shard,
  shardForContentTopic,
} from './topics.ts'
