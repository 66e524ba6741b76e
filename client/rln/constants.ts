/** How often the member list is brought up to date, ms. */
export const MEMBERSHIP_POLL_MS = 4_000

/** Least time between two saved copies of the member list, ms: it is a cache, the chain has the original. */
export const MEMBERSHIP_SAVE_MS = 60_000

/**
 * Changes after which the list is saved again while the client runs, or a share of all: about 100 bytes a member are
 * written each time. A client that is killed reads the rest from the chain again.
 */
export const SAVE_AFTER_CHANGES = 256
export const SAVE_AFTER_SHARE = 0.05

/** Blocks that are read from the chain's events rather than asked of nodes: one request of most endpoints. */
export const EVENT_RANGE_BLOCKS = 5_000n

/** Nodes that are asked for the member list, one after the other, before the chain's events are read. */
export const MAX_LIST_SOURCES = 3

/** Changes that are hashed in one go, about 15 ms: between two the page or the process does other things. */
export const BUILD_SLICE = 512

/**
 * Newest changes whose roots are computed one by one when the list is loaded, at 20 Poseidon hashes (half a ms)
 * each: a little more than the nodes' window of accepted roots.
 */
export const ROOT_HISTORY = 64

/** Roots that are remembered at most, for checking the proofs of history; 32 bytes each. */
export const MAX_KNOWN_ROOTS = 8_192

/** Bytes of a saved member: commitment and limit. */
export const SAVED_MEMBER_BYTES = 34

/** How long a registration may take to show in the list, ms, and how often it is looked for. */
export const REGISTRATION_TIMEOUT_MS = 120_000
export const REGISTRATION_POLL_MS = 500

/** How often it is looked whether a proof can be made ahead, ms: a look costs some microseconds. */
export const AHEAD_CHECK_MS = 500

/** Pause after a message before the next proof is made ahead, ms: in a burst it would only be in the way. */
export const AHEAD_IDLE_MS = 1_000

/** Least time between two proofs made ahead of which the first was not used, ms: one is 0.6 s of work. */
export const AHEAD_PAUSE_MS = 10_000

/** Proofs made ahead in a row that nobody used: then none until the application sends or asks again. */
export const MAX_UNUSED_AHEAD = 10
