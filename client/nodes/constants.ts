/** Nodes that a client stays connected to: enough to fall over to, few enough to keep channels to. */
export const DEFAULT_POOL_SIZE = 3

/** How often the registry is read again, ms: prices and endpoints change rarely. */
export const DIRECTORY_REFRESH_MS = 5 * 60_000

/** How often missing connections are looked for, ms. */
export const POOL_UPKEEP_MS = 5_000

/** Nodes that one request may dial when none of the connected ones can serve it. */
export const MAX_DIALS = 5

/** Rest of a node after its first failure, ms; doubles with each further one. */
export const BACKOFF_START_MS = 2_000

/** Longest rest of a failing node, ms. */
export const BACKOFF_MAX_MS = 5 * 60_000

/** An answer that took longer counts as late, ms. */
export const LATE_AFTER_MS = 5_000

/** Served requests that every node starts with in its score: a newcomer is not judged by its first failure. */
export const SCORE_PRIOR = 2

/** Largest weight of a late answer among failures, in failures. */
export const LATE_WEIGHT = 0.5

/** Steps into which a score is cut when it multiplies a stake. */
export const SCORE_STEPS = 1_000
