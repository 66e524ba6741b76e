/** How long one JSON-RPC request may take, ms. Public endpoints answer within 2 s; event queries may take longer. */
export const RPC_TIMEOUT_MS = 10_000

/** Longest JSON-RPC answer that is read, bytes: 2,000 blocks full of events stay under it. */
export const RPC_MAX_RESPONSE_BYTES = 64 * 1024 * 1024

/** First pause before a failed endpoint is preferred again, ms; doubles with each failure in a row. */
export const RPC_COOL_DOWN_MS = 1_000

/** Longest pause of a failed endpoint, ms, so that a repaired one is back within a minute. */
export const RPC_MAX_COOL_DOWN_MS = 60_000

/**
 * Newest blocks of two endpoints may be this many blocks apart: two minutes of Ethereum, and more than what comes
 * between two requests on a chain of four blocks a second.
 */
export const HEAD_TOLERANCE_BLOCKS = 10

/** How long an endpoint may take to say where it is, ms: one that is slow must not hold up what follows the others. */
export const HEAD_TIMEOUT_MS = 3_000

/** Of two endpoints that are further apart, the one whose newest block is older than the other's by this lags, seconds. */
export const HEAD_BEHIND_SECONDS = 30

/** A block may be dated this far after our clock, seconds: producers and machines keep time within seconds. */
export const HEAD_FUTURE_SECONDS = 60

/**
 * A public chain whose newest block is older than this is not believed to be the newest, seconds: 25 slots of Ethereum in a
 * row without a block.
 */
export const DEFAULT_MAX_HEAD_AGE_SECONDS = 300

/** Blocks back from the newest that the follower can undo from memory; longer than any public chain's record. */
export const REORG_WINDOW_BLOCKS = 256

/** How often the same range is asked for again before inconsistent events mean that our own log is wrong. */
export const MAX_INCONSISTENT_ANSWERS = 3

/** First pause after a failed poll, ms; doubles with each failure in a row. */
export const POLL_BACK_OFF_MS = 500

/** Longest pause between two tries while the chain is away, ms. */
export const POLL_MAX_BACK_OFF_MS = 30_000

/** Block headers asked for at once while reading old events. */
export const HEADER_CONCURRENCY = 8

/** The views are compared with the contracts' state this often, ms, besides after every change of members. */
export const AUDIT_INTERVAL_MS = 60_000

/** Only blocks this close to the newest are compared: endpoints without history have dropped older state. */
export const AUDIT_DEPTH_BLOCKS = 64

/** Channels asked for in one call of an audit. */
export const AUDIT_PAGE = 200

/**
 * How long a membership root is accepted after a newer one replaced it, seconds of chain time. Long enough for a
 * light client to fetch its new path, short enough that a slashed member does not live on in old roots.
 */
export const ROOT_MAX_AGE_SECONDS = 300

/** Gas is estimated and multiplied by this, in percent: state may change before the transaction is mined. */
export const GAS_MARGIN_PERCENT = 125n

/** A transaction that is not mined for this long is sent again with a higher fee, ms: several blocks. */
export const STUCK_AFTER_MS = 45_000

/** Raise of the fee of a replacement, in percent. */
export const FEE_BUMP_PERCENT = 125n

/** Other nodes take a replacement from here on, in percent of both fees. */
export const MIN_FEE_BUMP_PERCENT = 110n

/** Tip for the block's producer when the chain names none, wei per unit of gas. */
export const DEFAULT_PRIORITY_FEE = 1_000_000_000n

/** Transactions that may wait in one account's queue. More means that callers do not wait for their results. */
export const MAX_QUEUED_TRANSACTIONS = 256

/** A transaction without a receipt is broadcast again after this, ms: pools forget, endpoints restart. */
export const REBROADCAST_AFTER_MS = 15_000

/** Looks that must find the nonce used and no receipt before the transaction counts as replaced. */
export const REPLACED_AFTER_LOOKS = 5

/** Signed forms and call data of ended transactions are kept this long, ms: no reorganisation is older. */
export const SIGNED_FORM_RETENTION_MS = 7 * 86_400_000

/** How often older ones are forgotten, ms. */
export const SIGNED_FORM_PRUNE_INTERVAL_MS = 3_600_000

/** Transactions whose forms are forgotten at once: a batch of 100 claims has 80 KB in each form. */
export const SIGNED_FORM_PRUNE_COUNT = 500

/** Gas of a transaction that does nothing; fixed by the protocol. */
export const TRANSFER_GAS = 21_000n

/** Gas of a batch besides its claims; from the contracts' gas snapshots of 10 and of 100 claims. */
export const BATCH_GAS = 40_000n

/** Gas of one claim in a batch; from the same snapshots. */
export const CLAIM_GAS = 16_000n

/**
 * The members' tree is stored again after so many changes, or a share of all there were, whichever is more: hashing
 * that many again takes a restart well under a second, and a first synchronisation does not write it over and over.
 */
export const SNAPSHOT_AFTER_CHANGES = 1_000
export const SNAPSHOT_AFTER_SHARE = 0.1

/** Largest stored tree that is read, bytes: 2^20 leaves with all nodes above them are 64 MiB. */
export const MAX_SNAPSHOT_BYTES = 65 * 1_048_576
