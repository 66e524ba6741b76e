/** How often the member list is brought up to date, ms. */
export const MEMBERSHIP_POLL_MS = 4_000

/** Least time between two saved copies of the member list, ms: it is a cache, the chain has the original. */
export const MEMBERSHIP_SAVE_MS = 60_000

/**
 * Newest changes whose roots are computed one by one when the list is loaded, at 20 Poseidon hashes (about 4 ms)
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
