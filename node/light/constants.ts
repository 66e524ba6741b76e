import { MAX_MESSAGE_BYTES } from '@postrider/protocol/wire'

/** Longest request id, characters: a UUID has 36, and payment keeps the id with the charge. */
export const MAX_REQUEST_ID_CHARS = 128

/** Streams of one light protocol that one connection may have open. Stock clients open some ahead of need. */
export const MAX_LIGHT_STREAMS_PER_CONNECTION = 32

// ---- lightpush -----------------------------------------------------------------------------------------

/** Largest lightpush frame, bytes. Above the largest message, so that one that is a little too large gets its 413. */
export const MAX_LIGHTPUSH_FRAME_BYTES = MAX_MESSAGE_BYTES + 65_536

/** From the opened stream to its end, ms: waiting for a root (5 s) and for the verifier (10 s) fit. */
export const LIGHTPUSH_DEADLINE_MS = 18_000

/** Lightpush streams served at once; each holds at most one frame, so 64 MiB at the very most. */
export const MAX_LIGHTPUSH_STREAMS = 300

/** Requests per second from one client, and how many it may save up. */
export const LIGHTPUSH_PER_SECOND = 50
export const LIGHTPUSH_BURST = 200

/**
 * Epochs in which the node's own membership can send at a time. Timestamps may be 20 s off both ways: five epochs of
 * 10 s, the shortest in use.
 */
export const MESSAGE_ID_EPOCHS = 8

// ---- filter --------------------------------------------------------------------------------------------

/** Largest filter request, bytes: 100 content topics of 256 characters, up to 3 bytes each in UTF-8. */
export const MAX_FILTER_FRAME_BYTES = 81_920

export const FILTER_DEADLINE_MS = 10_000
export const MAX_FILTER_STREAMS = 300

/** Filter requests per second from one client: a ping a minute and a subscription per chat fit many times. */
export const FILTER_PER_SECOND = 10
export const FILTER_BURST = 100

/** Content topics in one request, as other Waku nodes allow. */
export const MAX_TOPICS_PER_REQUEST = 100

/** Clients with subscriptions; each may queue up to `MAX_PUSH_QUEUE_BYTES`. */
export const MAX_SUBSCRIBERS = 256

/** Pairs of pubsub topic and content topic of one client, as other Waku nodes allow. */
export const MAX_CRITERIA_PER_SUBSCRIBER = 1_000

/** How long a subscription lives after the last ping or subscribe, ms, as on other Waku nodes. */
export const SUBSCRIPTION_TTL_MS = 300_000

/** How often expired subscriptions are removed, ms. */
export const FILTER_TICK_MS = 10_000

/** Messages, and their bytes, that wait for one subscriber. A subscriber further behind is dropped. */
export const MAX_PUSH_QUEUE = 512
export const MAX_PUSH_QUEUE_BYTES = 2 * 1_048_576

/** How long one push may take with the opening of its stream, ms. */
export const PUSH_DEADLINE_MS = 10_000

/** How long pushes wait for payment before the client is unsubscribed, and how often the account is asked, ms. */
export const PUSH_GRACE_MS = 30_000
export const PUSH_RETRY_MS = 1_000

// ---- node prover ---------------------------------------------------------------------------------------

/**
 * Messages whose proof is remembered, so that one that is sent again takes no second message id. Clients ask again
 * within seconds, and a node proves some six messages a second. An entry is at most a message, 150 KiB.
 */
export const MAX_REMEMBERED_PROOFS = 64

// ---- metadata ------------------------------------------------------------------------------------------

/** Largest metadata frame, bytes: all 1024 shards with 3 bytes each fit. */
export const MAX_METADATA_FRAME_BYTES = 4_096
export const METADATA_DEADLINE_MS = 5_000
export const MAX_METADATA_STREAMS = 300
/** Metadata exchanges of one connection; one is enough. */
export const MAX_METADATA_STREAMS_PER_CONNECTION = 4

// ---- membership ----------------------------------------------------------------------------------------

/** Largest membership request, bytes: a request id and a number. */
export const MAX_MEMBERSHIP_REQUEST_BYTES = 1_024

/** From the opened stream to its end, ms: a page of 304 KiB at 0.3 Mbit/s. */
export const MEMBERSHIP_DEADLINE_MS = 10_000

/** Membership streams served at once; each holds one page, so 10 MiB at most. */
export const MAX_MEMBERSHIP_STREAMS = 32
export const MAX_MEMBERSHIP_STREAMS_PER_CONNECTION = 4

/**
 * Pages of 304 KiB for one client: the whole list of a full group with every member erased once is 256 of them;
 * afterwards a client that follows needs one now and then.
 */
export const PAGES_BURST = 256
export const PAGES_PER_SECOND = 1

/** Pages for all clients together: 10 MB/s, so that many new peer ids gain nothing. */
export const ALL_PAGES_BURST = 512
export const ALL_PAGES_PER_SECOND = 32
