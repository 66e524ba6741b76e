/** Where the API listens unless told otherwise. Loopback: an operator opens it on purpose, behind TLS. */
export const API_HOST = '127.0.0.1'

/** Largest request body, bytes. The largest real one names 100 channels of 66 characters. */
export const MAX_BODY_BYTES = 16_384

/** Longest time for a request to arrive whole, ms: bodies are tiny, a slower one is an attack or a fault. */
export const REQUEST_TIMEOUT_MS = 10_000

/** How long an idle connection is kept, ms; longer than the usual 60 s scrape would gain nothing. */
export const KEEP_ALIVE_TIMEOUT_MS = 30_000

/** Connections at once. An operator's tools need a few; each costs a file descriptor that peers need too. */
export const MAX_CONNECTIONS = 128

/** Longest path parameter, characters: a channel id has 66, an error code under 64. */
export const MAX_PARAM_CHARS = 100

/** Sustained requests per second and savings of one token, or of one address before it has shown a token. */
export const RATE_PER_SECOND = 50
export const RATE_BURST = 200

/** Items in one answer of a list: default and most. A channel is about 1 KiB of JSON, so 500 KiB at most. */
export const PAGE_ITEMS = 100
export const MAX_PAGE_ITEMS = 500

/** Longest cursor, characters; ours are keys of at most 66. */
export const MAX_CURSOR_CHARS = 200

/** Rows in one CSV answer, which is built in memory: about 3 MB. Beyond, a Link header names the next part. */
export const MAX_CSV_ROWS = 10_000

/** Longest Idempotency-Key, characters; a UUID has 36. */
export const MAX_IDEMPOTENCY_KEY_CHARS = 100

/** Event streams at once; each holds a socket and a buffer. */
export const MAX_EVENT_CLIENTS = 16

/** Events kept for a client that comes back with Last-Event-ID; at 10 a second that is almost two minutes. */
export const EVENT_BACKLOG = 1_024

/** Most characters of kept events; a redemption of 100 channels is 20 KB, so the number alone is no bound. */
export const EVENT_BACKLOG_CHARS = 524_288

/**
 * A stream whose unread data passes this many bytes is closed: the client is too slow, and can resume. Above the
 * whole backlog, or a client that comes back would be closed for what it missed.
 */
export const MAX_EVENT_BUFFER_BYTES = 2_097_152

/** Silence after which a comment is sent, ms; under the 30 s and 60 s at which proxies give up. */
export const EVENT_HEARTBEAT_MS = 15_000

/** What an event stream asks a client to wait before it reconnects, ms. */
export const EVENT_RETRY_MS = 2_000

/** Random bytes in a token: 256 bits cannot be guessed, so wrong tokens need no lock-out. */
export const TOKEN_BYTES = 32

/** Largest token file that is read, bytes. */
export const MAX_TOKEN_FILE_BYTES = 65_536

/** How often the reasons behind readiness are compared to publish changes as events, ms. */
export const HEALTH_POLL_MS = 1_000

/** How long an answer is remembered for a repeated request, ms. Operators repeat within minutes; a day is generous. */
export const IDEMPOTENCY_LIFE_MS = 86_400_000
