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

/** Proofs checked one by one in one go: bounds how long those in a batch wait behind them. */
export const SINGLES_BATCH = 8

/** Valid proofs in a row after which a source is trusted: it shares batches with the others that are. */
export const PROVEN_AFTER = 16

/** Most proofs of one newcomer in a batch of newcomers: what it can spoil before anything is known of it. */
export const NEWCOMER_BATCH_SHARE = 16

/**
 * While trusted sources wait, one proof of a newcomer is checked per this many of theirs, and one of a suspect per this
 * many. A proof by itself costs about three in a batch, so both together take less than a quarter of the verifier,
 * however many they are and however often they change their ids.
 */
export const TRUSTED_PER_NEWCOMER = 16
export const HONEST_PER_SUSPECT = 32

/** Valid proofs in a row after which a source that sent an invalid one is trusted again. */
export const REHABILITATION = 64

/** Sources remembered with what is known of them; the one heard of longest ago is forgotten first. */
export const MAX_KNOWN_SOURCES = 4096

/** Proving jobs that may wait. Each takes a fraction of a second, so the last one waits for seconds already. */
export const PROVE_QUEUE_LIMIT = 32

/** Times a job is given to a worker. A job that brings down two workers is the likely cause. */
export const MAX_ATTEMPTS = 2

/** Starts of one worker that may fail in a row before it is given up: the cause is permanent then. */
export const MAX_FAILED_STARTS = 3
