/** How long after its timestamp a message is still offered to nodes, ms: they refuse it after 20 s. */
export const PUBLISH_WINDOW_MS = 16_000

/** First pause before nodes that refused for the moment are asked again, ms; doubles up to the longest. */
export const PUBLISH_RETRY_MS = 250
export const PUBLISH_RETRY_MAX_MS = 4_000

/** Nodes that must call a message invalid before the client believes it. */
export const REJECTIONS_TO_BELIEVE = 2

/** Hex characters of the message hash in a request id: 128 bits, unique among the requests of one account. */
export const REQUEST_ID_HASH_CHARS = 32

/** Messages that wait to be proven at most; a proof takes a good part of a second. */
export const MAX_QUEUED_PUBLISHES = 1_000

/** Stores in which a message is looked for after it was relayed, when the options do not say. */
export const DEFAULT_CONFIRMATIONS = 1

/** Pauses before each look into a store, ms. Each look costs a page. */
export const CONFIRMATION_PAUSES_MS = [200, 500, 1_000, 2_000, 4_000] as const

/** Nodes that one request goes to, one after the other, before it fails. */
export const MAX_ATTEMPTS = 5

/** Nodes that push each message, when the options do not say: one may fail or be silent unseen. */
export const DEFAULT_REDUNDANCY = 2

/** How often subscriptions are refreshed, ms: nodes forget them after five minutes. */
export const SUBSCRIPTION_UPKEEP_MS = 30_000

/** Content topics in one filter request: what nodes take. */
export const MAX_TOPICS_PER_SUBSCRIBE = 100

/** Content topics of one client, as nodes allow. */
export const MAX_SUBSCRIBED_TOPICS = 1_000

/** Message hashes that are remembered to drop copies from other nodes. */
export const MAX_SEEN_MESSAGES = 16_384

/** Messages in a page when the query does not say. */
export const DEFAULT_PAGE_SIZE = 50

/** Largest page that nodes serve. */
export const MAX_PAGE_SIZE = 100

/** Content topics in one history request: what nodes take. */
export const MAX_QUERY_TOPICS = 10

/** Least time between two readings of the member list because of an unknown root, ms. */
export const ROOT_REFRESH_MS = 2_000
