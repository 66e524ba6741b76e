import type { ErrorSection } from './types.ts'

export const storeErrors = {
  STORE_QUERY_INVALID: {
    title: 'The store query is not well-formed',
    retryable: false,
    fix: 'Give a pubsub topic with content topics, or message hashes, not both.',
    http: 400,
  },
  STORE_CURSOR_UNKNOWN: {
    title: 'The message that the cursor names is not in the archive',
    retryable: false,
    fix: 'Start again without a cursor, from the time of the last message received.',
    http: 400,
  },
  STORE_RATE_LIMITED: {
    title: 'The peer sends more queries than the node allows',
    retryable: true,
    fix: 'Send fewer queries per second, with larger pages.',
    http: 429,
  },
  STORE_OVERLOADED: {
    title: 'The node is answering as many queries as it can',
    retryable: true,
    fix: 'Try again later or ask another node.',
    http: 503,
  },
  STORE_UNAVAILABLE: {
    title: 'The archive does not answer',
    retryable: true,
    fix: 'Try again later or ask another node. The operator checks disk space and the log; a damaged archive.db is moved away, and a new one made.',
    http: 503,
  },
  STORE_VERSION_UNSUPPORTED: {
    title: 'The archive was written by a newer version of Postrider',
    retryable: false,
    fix: 'Run the newer version, or move the archive file away to start an empty one.',
    http: 500,
  },
} as const satisfies ErrorSection
