import type { ErrorSection } from './types.ts'

export const relayErrors = {
  RELAY_OVERLOADED: {
    title: 'The verification queue is full',
    retryable: true,
    fix: 'Send the message again later or through another node.',
    http: 503,
  },
  RELAY_NO_PEERS: {
    title: 'The node has no relay peers on this shard',
    retryable: true,
    fix: 'Wait until the node is connected or use another node.',
    http: 503,
  },
} as const satisfies ErrorSection
