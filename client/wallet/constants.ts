const POST = 10n ** 18n

/** First deposit of a channel when the options do not say, base units. */
export const DEFAULT_DEPOSIT = 1n * POST

/** Most that one channel may hold in all when the options do not say, base units. */
export const DEFAULT_MAX_DEPOSIT = 10n * POST

/** Most that leaves the wallet on one day (UTC) when the options do not say, base units. */
export const DEFAULT_DAILY_BUDGET = 30n * POST

/** A channel is topped up when less than this part of its first deposit is left unpromised: 1/4. */
export const TOP_UP_DIVISOR = 4n

/** First pause after a failed top-up, ms; doubles up to the longest. */
export const TOP_UP_RETRY_MS = 2_000
export const TOP_UP_RETRY_MAX_MS = 5 * 60_000

/** The budget's day, ms. */
export const DAY_MS = 86_400_000

/**
 * Pauses before a channel is read again of which less is there than before, ms: the endpoint may be a block or two
 * behind. What is still gone afterwards was taken back by the chain.
 */
export const REREAD_PAUSES_MS: readonly number[] = [200, 400]

/** Looks at records and contracts, one after the other, until no settlement comes in between. */
export const RECONCILE_TRIES = 3

/** Time for Hello and Terms, ms. */
export const HANDSHAKE_TIMEOUT_MS = 10_000

/** Time for the node to acknowledge a payment, ms: a disk write and a round trip. */
export const ACKNOWLEDGE_TIMEOUT_MS = 10_000

/** Time for the node to see a channel or a top-up that is on chain (its confirmations), ms. */
export const CONFIRMATION_TIMEOUT_MS = 60_000

/**
 * First pause between two Binds for a channel that the node does not see yet, ms; doubles up to the longest. The
 * node counts each as a refusal and ends the stream after 32 of them.
 */
export const BIND_RETRY_MS = 250
export const BIND_RETRY_MAX_MS = 4_000

/**
 * Pushed messages that may be lost on the way and are paid all the same, by channel and process; a tenth of those that
 * came is allowed besides.
 */
export const PUSH_SLACK = 64n
export const PUSH_SLACK_DIVISOR = 10n

/** Pushed messages that are paid for before they came, where a node pushes nothing unpaid. */
export const PUSHES_AHEAD = 16n

/** Payments that a node has not confirmed and that its accounts are compared with; a node may confirm none at all. */
export const MAX_UNCONFIRMED_PAYMENTS = 1_024

/** Answers of 402 that wait to be looked at; one request causes one. */
export const MAX_PAYMENT_DEMANDS = 256

/** Channels to one payee that are tried one after the other when the storage is new: closed ones are skipped. */
export const MAX_CHANNELS_PER_PAYEE = 1_000

/** Largest deposit of a channel: the contract keeps 96 bits. */
export const MAX_CHANNEL_AMOUNT = 2n ** 96n - 1n
