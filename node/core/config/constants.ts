/** Neighbours of the ports that nodes of other Waku-speaking software use for their HTTP API. */
export const DEFAULT_API_PORT = 8645

/** 0.0001 POST (18 decimals): ten thousand messages for one token. */
export const DEFAULT_PUBLISH_PRICE = 100_000_000_000_000n

/** A page of history costs the node about as much as relaying one message. */
export const DEFAULT_QUERY_PRICE = 100_000_000_000_000n

/** A pushed message costs one frame on an open stream. */
export const DEFAULT_PUSH_PRICE = 10_000_000_000_000n

/** A hundred publishes: what the operator can lose to one client, and slack enough for a voucher in flight. */
export const DEFAULT_UNPAID_LIMIT = 10_000_000_000_000_000n

/** Width of prices on the wire. */
export const MAX_UINT64 = 2n ** 64n - 1n

/** Width of channel amounts on chain. */
export const MAX_UINT128 = 2n ** 128n - 1n

/** Most addresses or endpoints in one list; real lists have under ten. */
export const MAX_LIST_ENTRIES = 64

/** Every environment variable of the configuration starts with this. */
export const ENV_PREFIX = 'POSTRIDER_'
