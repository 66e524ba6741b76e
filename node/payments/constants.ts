// ---- what an operator asks, unless configured otherwise ----------------------------------------------

/** Served before payment, in prices of the dearest service. Enough for one window of requests in flight. */
export const DEFAULT_UNPAID_REQUESTS = 100n

/** Requests per epoch and peer that cost nothing: a person who chats now and then. */
export const DEFAULT_FREE_REQUESTS = 20

/** Length of the epoch of the free allowance, seconds. */
export const DEFAULT_FREE_EPOCH_SECONDS = 600

// ---- the payment stream ------------------------------------------------------------------------------

/** Bytes that may wait unread in one stream. Ticks are 40 bytes, so this is a window of 1,600 of them. */
export const SESSION_BUFFER_BYTES = 64 * 1024

/** Payment streams of one connection: the one in use, and some that ended and linger for a few seconds. */
export const MAX_STREAMS_PER_CONNECTION = 8

/** Payment streams in all: as many as connections, with room for replacements. */
export const MAX_SESSIONS = 512

/** From the opening of a stream to Hello, ms. */
export const HELLO_DEADLINE_MS = 10_000

/** From Hello to the first Bind, ms: long enough to open a channel and wait for its confirmations. */
export const BIND_DEADLINE_MS = 600_000

/** How long one frame may take to leave, ms; a peer that reads nothing for so long has gone. */
export const WRITE_DEADLINE_MS = 20_000

/** How long clients may take to read their last frames when the node stops, ms; then streams are reset. */
export const STOP_GRACE_MS = 2_000

/** Frames of one stream per second, and at once. A thousand paid requests a second need a thousand ticks. */
export const FRAMES_PER_SECOND = 4_000
export const FRAME_BURST = 8_000

/** Frames with a signature per second and peer, and at once: each costs about a millisecond to check. */
export const SIGNATURES_PER_SECOND = 32
export const SIGNATURE_BURST = 64

/** Refused frames after which a stream is closed: a client that is wrong so often will not become right. */
export const MAX_REFUSALS = 32

/** Frames of one stream whose result is on its way to the disk; the next frame then waits. */
export const MAX_FRAMES_IN_WORK = 128

/** Frames that wait to leave one stream, account frames not counted (only the newest of those waits). */
export const MAX_OUTBOX_FRAMES = 64

// ---- accounts ----------------------------------------------------------------------------------------

/** Accounts in memory. Those in use stay; of the others the one loaded first goes first. */
export const MAX_CACHED_ACCOUNTS = 2_048

/** Peers without a channel that are remembered in one epoch; 3 KB each at most. Others must bind a channel. */
export const MAX_FREE_PEERS = 10_000

/** Writes that wait for the ledger. More means a stalled disk: refuse early. */
export const MAX_WAITING_WRITES = 8_192

/** How long a charge is remembered for a repeated request, ms. A client that retries does so within seconds. */
export const CHARGE_RETENTION_MS = 600_000

/** How often charges are forgotten, ms. */
export const CHARGE_PRUNE_INTERVAL_MS = 60_000

/** Accounts that one page of the ledger holds while all of them are read at the start. */
export const LEDGER_PAGE = 500

// ---- watchtower --------------------------------------------------------------------------------------

/** How often the claims for a watchtower are written, ms: what it may not know yet when the node dies. */
export const CLAIMS_FILE_INTERVAL_MS = 5_000

/** Largest claims file that is read, bytes: 100,000 channels of 600 bytes. */
export const MAX_CLAIMS_FILE_BYTES = 64 * 1024 * 1024

/** Channels in one call of the contract: 500 slots are far below the gas that endpoints allow for a call. */
export const CHANNELS_PER_READ = 500

/** How long a node may settle by itself before its watchtower does, seconds: a restart and a block. */
export const DEFAULT_WATCH_GRACE_SECONDS = 600

// ---- redemption --------------------------------------------------------------------------------------

/** Most claims in one transaction: 100 at 16,500 gas are a tenth of the cap of one transaction. */
export const MAX_BATCH_CLAIMS = 100

/** A claim is redeemed when it is worth this many times its gas. */
export const DEFAULT_GAS_MULTIPLE = 10n

/** How often the daemon looks for claims, ms. */
export const DEFAULT_REDEMPTION_INTERVAL_MS = 60_000

/** Batches on their way at once. */
export const MAX_OPEN_BATCHES = 4

/** More of them for payers who are leaving: these stand in the account's queue, however many others have not ended. */
export const EXTRA_URGENT_BATCHES = 4

/** Pause before an unknown outcome is asked for again, ms. */
export const OUTCOME_RETRY_MS = 10_000

/** Pause after a claim was skipped or its batch reverted, ms; doubled each time, up to the second. */
export const CLAIM_RETRY_MS = 60_000
export const MAX_CLAIM_RETRY_MS = 86_400_000

/** How long a settled claim may take to show in the view of the chain, ms; after that the view is believed. */
export const SETTLE_GRACE_MS = 900_000
