import type { ErrorSection } from './types.ts'

// Errors of lightpush, filter, metadata and membership.
export const lightErrors = {
  LIGHT_REQUEST_INVALID: {
    title: 'The light-client request is not well-formed',
    retryable: false,
    fix: 'Encode the request as docs/protocol/light.md describes.',
    http: 400,
  },
  LIGHT_TOO_MANY_REQUESTS: {
    title: 'The client sends requests faster than the node serves one client',
    retryable: true,
    fix: 'Wait a second; the limits are in docs/protocol/light.md.',
    http: 429,
  },
  LIGHT_BUSY: {
    title: 'The node has given out as much as it does for all clients together',
    retryable: true,
    fix: 'Ask another node, or this one again in a few seconds.',
    http: 503,
  },
  LIGHT_TOO_MANY_SUBSCRIPTIONS: {
    title: 'The node has no room for another subscription',
    retryable: true,
    fix: 'Unsubscribe from what is not needed or ask another node.',
    http: 503,
  },
  LIGHT_NOT_SUBSCRIBED: {
    title: 'There is no such subscription of this client',
    retryable: false,
    fix: 'Subscribe again: subscriptions end with the connection, and after five minutes without a ping.',
    http: 404,
  },
  LIGHT_SUBSCRIBER_SLOW: {
    title: 'The subscriber reads slower than messages arrive',
    retryable: true,
    fix: 'Subscribe to fewer topics, and query the store for what was missed.',
  },
  LIGHT_PUSH_UNPAID: {
    title: 'The subscriber did not pay for pushes within the grace period',
    retryable: true,
    fix: 'Pay up to the total that the node asked for, then subscribe again.',
    http: 402,
  },
  LIGHT_MEMBERSHIP_MISSING: {
    title: 'The node has no membership of its own to prove with',
    retryable: false,
    fix: 'Register one with postrider rln register and restart; until then only messages with a proof are taken.',
  },
  LIGHT_MEMBERS_UNKNOWN: {
    title: 'The node has not read the list of members yet',
    retryable: true,
    fix: 'Ask another node, or read the events from the chain.',
    http: 503,
  },
  LIGHT_PROVER_MISMATCH: {
    title: "The prover's answer belongs to other inputs",
    retryable: true,
    fix: 'Check that the proving key fits the circuit; the proof was not used.',
    http: 503,
  },
} as const satisfies ErrorSection
