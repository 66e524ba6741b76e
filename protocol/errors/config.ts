import type { ErrorSection } from './types.ts'

export const configErrors = {
  CONFIG_INVALID: {
    title: 'The configuration is not valid',
    retryable: false,
    fix: 'Correct the named key.',
  },
  CONFIG_NETWORK_INVALID: {
    title: 'The network file is not valid',
    retryable: false,
    fix: 'Take the network file that the deployment wrote, unchanged.',
  },
} as const satisfies ErrorSection
