import type { ErrorSection } from './types.ts'

export const storeErrors = {
  STORE_QUERY_INVALID: {
    title: 'The store query is not well-formed',
    retryable: false,
    fix: 'Give a pubsub topic with content topics, or message hashes, not both.',
    http: 400,
  },
  STORE_UNAVAILABLE: {
    title: 'The archive does not answer',
    retryable: true,
    fix: 'Try again later or ask another node.',
    http: 503,
  },
} as const satisfies ErrorSection
