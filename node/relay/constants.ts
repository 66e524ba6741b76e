/**
 * How long a verdict may take, ms. Gossip forgets a message after 15 heartbeats of 1 s, so a later verdict could
 * not forward it any more; the rest is slack for a busy event loop.
 */
export const RELAY_VALIDATION_DEADLINE_MS = 10_000

/** Messages between precheck and verdict. The verifier's own queue is the tighter limit; copies wait beside it. */
export const MAX_IN_FLIGHT = 4_096
/** Bytes of those messages. */
export const MAX_IN_FLIGHT_BYTES = 64 * 1_048_576

/**
 * Bytes of messages accepted per second, and how many can be saved up. Gossip keeps what was accepted for 15 s, so this
 * bounds its memory at 300 MB: 110 messages of the largest size a second, or ten times what the verifier checks of 1 KiB.
 */
export const MAX_ACCEPTED_BYTES_PER_SECOND = 16 * 1_048_576
export const MAX_ACCEPTED_BYTES_BURST = 64 * 1_048_576

/**
 * Nullifiers in the log, over all epochs that are still acceptable: of epochs of 600 s, 700 messages a second without a
 * break. About 260 bytes each, so 130 MB when full; 160 bytes each on disk.
 */
export const MAX_NULLIFIERS = 500_000

/** Bytes of accepted messages kept to be the first half of evidence. Older ones go first; the secret does not need them. */
export const MAX_EVIDENCE_CACHE_BYTES = 64 * 1_048_576

/** How long an epoch stays in the log after its last acceptable message, seconds: room for a clock that is set back. */
export const PRUNE_MARGIN_SECONDS = 60

/** How often epochs are pruned, overdue verdicts given up and breaches that could not be stored tried again, ms. */
export const RELAY_TICK_MS = 1_000

/** How often a message of an untrusted sender looks whether a trusted one has sent it too, ms. */
export const STAND_IN_POLL_MS = 100

/** How long a message waits for its root: a member who has just joined is often heard before the block is. */
export const ROOT_WAIT_MS = 5_000
/** How often waiting messages look whether their root has become known, ms. A look is one set lookup each. */
export const ROOT_POLL_MS = 200
/** Messages that wait for a root, in all and from one peer. Proofs over made-up roots must not push out the honest. */
export const MAX_ROOT_WAITERS = 256
export const MAX_ROOT_WAITERS_PER_PEER = 16

/** Breaches that wait to be stored. One is stored in milliseconds; more than this means that the disk is gone. */
export const MAX_PENDING_BREACHES = 256

/** Members with a breach that are remembered, so that one of them cannot fill the queue for the others. */
export const MAX_KNOWN_BREAKERS = 4_096

/** Penalty points for a gossiped message that is provably bad, and for a submitted proof that cost a verification. */
export const INVALID_MESSAGE_POINTS = 1
/**
 * Penalty points for a gossiped message whose proof does not verify. It cost more than all other checks together, and
 * no node forwards what it has not verified: the peer is not heard for six minutes, and banned for the next one.
 */
export const INVALID_PROOF_POINTS = 30
/** Penalty points for whoever submits a breach itself: it holds the secret. */
export const BREACH_POINTS = 10

/** Slashing cases returned by one listing. */
export const MAX_CASES_LISTED = 1_000
