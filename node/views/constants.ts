/** How long an answer waits for the chain, ms; then it says what is known. A page must not hang for an outage. */
export const READ_WAIT_MS = 2_000

/** Balances and the price of gas are read again after this while somebody looks, ms: about a block. */
export const READ_AGE_MS = 5_000

/** The same while nobody looks, ms; health needs the balance, and public endpoints count requests. */
export const BACKGROUND_READ_AGE_MS = 60_000

/** Gas that the hot account should be able to pay for at any time: a batch of 100 settlements and a slash. */
export const GAS_RESERVE_UNITS = 3_000_000n

/** Channels read from the ledger at once while a list is filtered. */
export const CHANNEL_SCAN = 500

/** Channels looked at for one filtered page; a page may then be short and have a cursor all the same. */
export const MAX_CHANNELS_SCANNED = 5_000

/** How often totals of verdicts and the epoch are compared to publish changes, ms. */
export const EVENT_TICK_MS = 1_000

/** Open redemptions that a summary counts. A batch holds up to 100 channels, so these are 100,000 of them. */
export const MAX_OPEN_REDEMPTIONS = 1_000

/**
 * Newest redemptions among which that of a repeated request is looked for. Only one whose answer was lost is not found
 * by its Idempotency-Key, and that was the last one before the node died.
 */
export const MAX_REDEMPTIONS_SEARCHED = 100
