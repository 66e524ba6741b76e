/** Proofs that may wait for the verifier. About a second of work for one core: more would outlive gossip's cache. */
export const VERIFY_QUEUE_LIMIT = 1024

/** Share of the verifier's queue that one source may fill: the others always find room. */
export const VERIFY_SOURCE_SHARE = 1 / 4

/** Proofs of one suspect source that may wait; it is served slowly, so a longer queue would only go stale. */
export const SUSPECT_QUEUE_LIMIT = 32

/**
 * Proofs checked together. Past 64 the cost per proof hardly falls, while a batch holds its first message longer
 * (about 45 ms at 64) and one bad proof spoils more.
 */
export const MAX_BATCH = 64

/** Proofs of suspects checked in one go, each by itself: bounds how long an honest proof waits behind them. */
export const SUSPECT_BATCH = 8

/**
 * While honest proofs wait, one suspect proof is checked per this many honest ones. A proof by itself costs about
 * three in a batch, so suspects take at most a tenth of the verifier.
 */
export const HONEST_PER_SUSPECT = 32

/** Valid proofs in a row after which a source that sent an invalid one is batched with the others again. */
export const REHABILITATION = 64

/** Suspect sources remembered; the one that failed longest ago is forgotten first. */
export const MAX_SUSPECTS = 1024

/** Proving jobs that may wait. Each takes a fraction of a second, so the last one waits for seconds already. */
export const PROVE_QUEUE_LIMIT = 32

/** Times a job is given to a worker. A job that brings down two workers is the likely cause. */
export const MAX_ATTEMPTS = 2

/** Starts of one worker that may fail in a row before it is given up: the cause is permanent then. */
export const MAX_FAILED_STARTS = 3
