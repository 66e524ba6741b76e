import type { ErrorSection } from './types.ts'

export const lightErrors = {
  LIGHT_REQUEST_INVALID: {
    title: 'The light-client request is not well-formed',
    retryable: false,
    fix: 'Encode the request as docs/protocol/ describes.',
    http: 400,
  },
  LIGHT_TOO_MANY_SUBSCRIPTIONS: {
    title: 'The node has no room for another subscription',
    retryable: true,
    fix: 'Unsubscribe from what is not needed or ask another node.',
    http: 429,
  },
} as const satisfies ErrorSection
