/** Largest serialized WakuMessage, bytes: the limit of 64/WAKU2-NETWORK, so that Waku clients need no other one. */
export const MAX_MESSAGE_BYTES = 150 * 1024

/** Largest `meta`, bytes: 14/WAKU2-MESSAGE. */
export const MAX_META_BYTES = 64

/** Longest content or pubsub topic, UTF-16 units. Waku names none; every index key needs one. */
export const MAX_TOPIC_CHARS = 256

/** Largest cluster id: 16 bits in relay sharding and ENR. */
export const MAX_CLUSTER_ID = 65_535

/** Shards of a cluster are numbered 0..1023: relay sharding. */
export const MAX_SHARD_COUNT = 1024

/** Depth of nested protobuf messages that the decoder follows; the deepest of ours is 3. */
export const MAX_NESTING = 8

/** Nanoseconds in a millisecond; Waku's timestamps are nanoseconds. */
export const NANOSECONDS_PER_MS = 1_000_000n

/** libp2p protocol ids, in the versions that stock Waku clients dial. */
export const PROTOCOL_IDS = {
  relay: '/vac/waku/relay/2.0.0',
  lightpush: '/vac/waku/lightpush/3.0.0',
  filterSubscribe: '/vac/waku/filter-subscribe/2.0.0-beta1',
  filterPush: '/vac/waku/filter-push/2.0.0-beta1',
  storeQuery: '/vac/waku/store-query/3.0.0',
  metadata: '/vac/waku/metadata/1.0.0',
  payment: '/postrider/payment/1.0.0',
  membership: '/postrider/membership/1.0.0',
} as const
