/** How long one component may take to start, ms. Opening a large database and replaying its log fits well within. */
export const START_DEADLINE_MS = 60_000

/** How long one component may take to stop, ms. Supervisors usually kill after 30 s; three slow parts still fit. */
export const STOP_DEADLINE_MS = 8_000

/** Keys one rate limiter remembers. A bucket is about 100 bytes, so the table stays under 1 MB. */
export const RATE_LIMITER_MAX_KEYS = 8_192

/** Longest delay that one timer can hold, ms (2^31 - 1); the platform fires longer ones at once. */
export const MAX_TIMER_MS = 2_147_483_647

/** How long a statement waits for another process's write lock, ms. A checkpoint of a large log takes under 1 s. */
export const DB_BUSY_TIMEOUT_MS = 5_000

/** How long a transaction may wait for its turn, ms: the single writer serves all parts of the node. */
export const DB_TRANSACTION_WAIT_MS = 10_000

/** How long a transaction may stay open, ms. Longer means a lost caller that blocks every other writer. */
export const DB_TRANSACTION_TIMEOUT_MS = 15_000

/** Decimal digits of the largest uint128 (340282366920938463463374607431768211455). */
export const AMOUNT_DIGITS = 39

/** Largest configuration or network file that is read, bytes. Real ones are under 4 KiB. */
export const MAX_CONFIG_FILE_BYTES = 1_048_576
