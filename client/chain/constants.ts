/** How long one RPC call may take before the next endpoint is tried, ms. */
export const RPC_TIMEOUT_MS = 10_000

/** Tries of one RPC call at one endpoint. */
export const RPC_RETRIES = 2

/** How often a pending transaction and the newest block are looked for, ms. */
export const POLL_INTERVAL_MS = 1_000

/** How long a transaction may stay unmined before the call gives up, ms. The record of it stays and is resumed. */
export const TRANSACTION_TIMEOUT_MS = 180_000

/** How long a signed permit is good, seconds: long enough for a slow chain, short enough to be forgotten. */
export const PERMIT_LIFETIME_SECONDS = 3_600

/** Blocks in one request for events: public endpoints refuse much more. */
export const LOG_RANGE_BLOCKS = 5_000n

/** Channels or memberships named in one request for events: public endpoints limit the size of a filter. */
export const LOG_TOPICS = 500

/** Gas limit of a transaction, as parts of what was estimated: what it costs may change until it is mined. */
export const GAS_MARGIN = { numerator: 6n, denominator: 5n }

/** Most wei for one unit of gas when the options do not say: what an endpoint that lies about fees can get at most. */
export const DEFAULT_MAX_FEE_PER_GAS = 500_000_000_000n

/** How long a transaction may wait in the pool before it is replaced by one that offers more, ms: some blocks. */
export const STUCK_AFTER_MS = 45_000

/** Gas of a transaction that only uses up its nonce. */
export const TRANSFER_GAS = 21_000n

/** Fees of a replacement, percent of those before. */
export const FEE_BUMP_PERCENT = 125n

/** What nodes ask for at least, so where the limit leaves no room for more, percent. */
export const MIN_FEE_BUMP_PERCENT = 110n

/** Looks without a receipt, after the nonce was used, until a transaction counts as lost to another one. */
export const LOOKS_AFTER_USE = 3

/** Registered nodes in one call. */
export const NODE_PAGE = 100

/** Registered nodes that are read at most; choice among more would not be better. */
export const MAX_NODES = 10_000
