/** Messages that wait for the archive. At the network's 266 messages/s this is half a minute of a stalled disk. */
export const INGEST_QUEUE_MESSAGES = 8_192

/** Bytes that wait for the archive: bounds memory when messages are large. */
export const INGEST_QUEUE_BYTES = 64 * 1024 * 1024

/** Messages in one transaction. Larger gains little and holds the event loop for more than a few ms. */
export const INGEST_BATCH_MESSAGES = 256

/** How long the first message of a batch waits for others, ms. A query sees a message at most this much late. */
export const INGEST_DELAY_MS = 50

/** Pause after a failed write, ms: long enough not to spin on a full disk, short enough not to fill the queue. */
export const INGEST_RETRY_MS = 1_000

/** Row, three index entries and page slack of one message, bytes; measured on the SQLite adapter. */
export const MESSAGE_OVERHEAD_BYTES = 256

/** Messages in a page when the request does not say (13/STORE implementations use 20). */
export const DEFAULT_PAGE_SIZE = 20

/** Most messages in a page (13/STORE implementations use 100). */
export const MAX_PAGE_SIZE = 100

/** Content topics in one query: each costs one index scan. */
export const MAX_CONTENT_TOPICS = 10

/** Hashes in one lookup: as many as fit in the largest page. */
export const MAX_MESSAGE_HASHES = 100

/** Length of a request id, UTF-16 units; stock clients use 36. */
export const MAX_REQUEST_ID_CHARS = 128

/** A query: 100 hashes of 34 bytes, 11 topics of at most 1 KiB, and small fields. */
export const MAX_REQUEST_BYTES = 16 * 1024

/** Message bytes in one page. Stock clients refuse frames of 4 MiB, and hashes and topics come on top. */
export const MAX_PAGE_BYTES = 3 * 1024 * 1024 + 512 * 1024

/** From the opening of a stream until the client has taken the whole page, ms: 4 MiB over 1 Mbit/s and a request. */
export const QUERY_DEADLINE_MS = 45_000

/** Query streams that one connection may have open at once. */
export const MAX_STREAMS_PER_CONNECTION = 32

/** Query streams in all. Those above the next limit are answered with 503, those above this one are reset. */
export const MAX_STREAMS = 256

/** Queries that are worked on or whose page is being sent; each holds one page in memory. */
export const MAX_CONCURRENT_QUERIES = 64

/** Queries that one peer may send per second, and at once, before it gets 429. */
export const QUERIES_PER_SECOND = 1_000
export const QUERY_BURST = 2_000

/** How long messages are kept when the operator does not say, seconds: two days. */
export const DEFAULT_RETENTION_SECONDS = 172_800

/** What messages may take when the operator does not say, bytes: 10 GiB. */
export const DEFAULT_RETENTION_BYTES = 10 * 1024 ** 3

/** How often retention runs, ms. */
export const RETENTION_INTERVAL_MS = 60_000

/** Messages removed in one transaction, so that the event loop is free again after a few ms. */
export const PRUNE_BATCH_MESSAGES = 128

/** Topic ids that the SQLite adapter remembers; a topic is at most 512 characters, so this is under 5 MB. */
export const TOPIC_CACHE_SIZE = 4_096
